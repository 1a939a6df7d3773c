//! Which known name is meant by an unknown one.

/// How like a name must be to be named, up to 1.
const LIKE: f64 = 0.5;

/// The known name that is most like this one, without regard to case, if one is.
pub(crate) fn to<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(&name, &other.to_lowercase());
    let near = known.map(|other| (likeness(other), other)).filter(|(like, _)| *like >= LIKE);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}
