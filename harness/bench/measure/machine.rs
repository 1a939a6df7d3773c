//! What a report is made with: the machine and the tool.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// The machine. Figures of different ones are not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// How many processors this process may use.
    pub cores: usize,
    pub os: String,
    pub arch: String,
    /// The processor's model, where the system tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Whether the tool was built with optimisations.
    pub optimised: bool,
}

impl Machine {
    /// What to say where the tool was built so that its figures do not count.
    pub(in crate::bench) fn note(&self) -> Option<String> {
        let note = "the tool was built without optimisations: its figures say little";
        (!self.optimised).then(|| note.to_owned())
    }

    pub fn this() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpu: processor(),
            optimised: !cfg!(debug_assertions),
        }
    }
}

/// The processor's model as Linux tells it; elsewhere it is not known.
fn processor() -> Option<String> {
    let told = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |name: &str| {
        let named = |line: &str| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        };
        told.lines().find_map(named).filter(|value| !value.is_empty())
    };
    // ARM's has numbers in the place of a name.
    let numbers = || Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?));
    value("model name").or_else(numbers)
}

impl Tool {
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}
