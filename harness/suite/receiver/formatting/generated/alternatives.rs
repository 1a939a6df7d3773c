//! The same change of formatting with one part of it varied.

use proptest::prelude::any;
use proptest::sample::Index;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::Reformatting;
use crate::suite::messages::parts::formatting as parts;

/// Places that are tried instead of one.
const PLACES: usize = 3;

/// Each varied change, by the part that differs.
pub(super) fn of(change: &Reformatting) -> Vec<(&'static str, Reformatting)> {
    let mut all = Vec::new();
    let places = places();
    match *change {
        Reformatting::Space(at, space) => {
            all.extend(places.iter().map(|&at| (parts::place_of_space(), Reformatting::Space(at, space))));
            let others = [" ", "\n", "\t"].into_iter().filter(|other| *other != space);
            all.extend(others.map(|other| (parts::kind_of_space(), Reformatting::Space(at, other))));
        }
        Reformatting::Escape(token, at, upper) => {
            all.extend(places.iter().map(|&at| (parts::escaped(), Reformatting::Escape(token, at, upper))));
            all.extend(places.iter().map(|&token| (parts::string(), Reformatting::Escape(token, at, upper))));
            all.push((parts::escape_case(), Reformatting::Escape(token, at, !upper)));
        }
        Reformatting::Number(at, form) => {
            all.extend(places.iter().map(|&at| (parts::number(), Reformatting::Number(at, form))));
            let others = [".0", "e0"].into_iter().filter(|other| *other != form);
            all.extend(others.map(|other| (parts::form_of_number(), Reformatting::Number(at, other))));
        }
        Reformatting::Swap(object, at) => {
            all.extend(places.iter().map(|&at| (parts::members(), Reformatting::Swap(object, at))));
            all.extend(places.iter().map(|&object| (parts::object(), Reformatting::Swap(object, at))));
        }
        Reformatting::Duplicate(object, at) => {
            all.extend(places.iter().map(|&at| (parts::members(), Reformatting::Duplicate(object, at))));
            all.extend(places.iter().map(|&object| (parts::object(), Reformatting::Duplicate(object, at))));
        }
        Reformatting::Trailing(space) => {
            let others = [" ", "\n", "\t"].into_iter().filter(|other| *other != space);
            all.extend(others.map(|other| (parts::kind_of_space(), Reformatting::Trailing(other))));
        }
    }
    all
}

/// Some places, the same in every run.
fn places() -> Vec<Index> {
    let mut runner = TestRunner::deterministic();
    let trees = (0..PLACES).filter_map(|_| any::<Index>().new_tree(&mut runner).ok());
    trees.map(|tree| tree.current()).collect()
}
