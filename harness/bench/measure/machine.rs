//! The machine and the tool that made a report.

use serde::{Deserialize, Serialize};

use super::messages;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// The machine. Figures of different machines are not comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// How many processors this process may use.
    pub cores: usize,
    pub os: String,
    pub arch: String,
    /// The processor's model, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Whether the tool was built with optimisations.
    pub optimised: bool,
}

impl Machine {
    /// A warning if the tool was built without optimisations.
    pub(in crate::bench) fn note(&self) -> Option<String> {
        (!self.optimised).then(|| messages::not_optimised().to_owned())
    }

    pub fn this() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpu: processor(),
            optimised: env!("OPTIMISATION") != "0",
        }
    }
}

/// The processor's model, which only Linux gives.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |name: &str| {
        let named = |line: &str| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        };
        text.lines().find_map(named).filter(|value| !value.is_empty())
    };
    // ARM has numbers instead of a name.
    let numbers = || Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?));
    value("model name").or_else(numbers)
}

impl Tool {
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}
