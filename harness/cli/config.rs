//! The configuration file `twenty-conform.toml`: defaults for what the command line and the environment leave out.
//!
//! Invariant: an unknown name or a wrong value is an error with the file and the line.

use std::fmt;
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};

use super::messages;
use crate::bench::compare::thresholds::{GivenRegression, bound};
use crate::bench::measure::compared::Metric;
use crate::bench::measure::objective::Bound;
use crate::budget::SMALL_FILE;
use crate::error::Error;
use crate::input::{self, Unread};

/// The name of the file, in the current folder.
pub(super) const FILE: &str = "twenty-conform.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) bench: Bench,
}

/// The table `[bench]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Bench {
    /// Bounds, such as `["p99<50ms", "errors<0.1%"]`.
    #[serde(default)]
    pub(super) threshold: Vec<Read<Bound>>,
    /// How much worse a figure may be: `"5%"`, or a table with `rate`, `p50`, `p90`, `p99` and `errors`.
    #[serde(default)]
    pub(super) max_regression: GivenRegressions,
    #[serde(default)]
    pub(super) baseline_dir: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Read<T>(pub(super) T);

#[derive(Debug, Default)]
pub(super) struct GivenRegressions(pub(super) Vec<GivenRegression>);

impl Config {
    /// Reads the named file, or the one in the current folder if there is one.
    ///
    /// Errors: the named file does not exist, or a file is wrong.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, Error> {
        let path = named.unwrap_or_else(|| Path::new(FILE));
        match input::text(path, SMALL_FILE) {
            Ok(text) => Self::parse(&text)
                .map_err(|(line, why)| Error::Usage(messages::wrong_configuration(path, line, &why))),
            Err(Unread::Io(why)) if why.kind() == ErrorKind::NotFound && named.is_none() => {
                Ok(Self::default())
            }
            Err(why) => Err(Error::Usage(messages::cannot_read(path.display(), why))),
        }
    }

    /// Errors: the line and what is wrong with it.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|why| {
            let before = why.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            (before.matches('\n').count() + 1, why.message().trim_end().to_owned())
        })
    }
}

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Read<T> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);

        impl<T: FromStr<Err = String>> Visitor<'_> for Text<T> {
            type Value = Read<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            // Parsed here, an error has the place of the string that is wrong.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Read<T>, E> {
                text.parse().map(Read).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// Reads the bound of a figure; as a seed, it gives an error the right place.
struct Of(Metric);

impl<'de> DeserializeSeed<'de> for Of {
    type Value = f64;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        bound(Some(self.0), &text).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for GivenRegressions {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounds;

        impl<'de> Visitor<'de> for Bounds {
            type Value = GivenRegressions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(messages::expected_regressions())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GivenRegressions, E> {
                let share = bound(None, text).map_err(E::custom)?;
                Ok(GivenRegressions(vec![GivenRegression { metric: None, share }]))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GivenRegressions, A::Error> {
                let mut given = Vec::new();
                while let Some(Read(metric)) = map.next_key::<Read<Metric>>()? {
                    given.push(GivenRegression {
                        metric: Some(metric),
                        share: map.next_value_seed(Of(metric))?,
                    });
                }
                Ok(GivenRegressions(given))
            }
        }

        deserializer.deserialize_any(Bounds)
    }
}
