//! Which known name is meant by an unknown one.

/// How like a name must be to be named, up to 1.
const LIKE: f64 = 0.5;

/// How much less like than the best one a name may be, to be named with it.
const MARGIN: f64 = 0.1;

/// The known name that is most like this one, without regard to case, if one is.
pub(crate) fn to<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    at_least(LIKE, name, known)
}

/// The same, where a name may be less like, or must be more like.
pub(crate) fn at_least<'a>(least: f64, name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(&name, &other.to_lowercase());
    let near = known.map(|other| (likeness(other), other)).filter(|(like, _)| *like >= least);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// The known names that are most like this one, at most three, the best first. Each is known by a spelling, and shown as another.
pub(crate) fn several(name: &str, known: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let name = name.to_lowercase();
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(&name, &other.to_lowercase());
    let mut near: Vec<(f64, String)> = known
        .map(|(spelling, shown)| (likeness(&spelling), shown))
        .filter(|(like, _)| *like >= LIKE)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = near.first().map_or(0.0, |(like, _)| *like);
    let mut names: Vec<String> = Vec::new();
    for (like, shown) in near {
        if names.len() < 3 && best - like <= MARGIN && !names.contains(&shown) {
            names.push(shown);
        }
    }
    names
}
