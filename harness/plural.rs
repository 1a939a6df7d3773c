//! Counts with their noun, as messages say them.

use std::fmt::Display;

/// `1 delivery` or `2 deliveries`. A verb that follows the number may be part of the noun: `1 connection was`.
pub(crate) fn counted<N: Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_one_is_singular() {
        let said = [0_u64, 1, 2].map(|count| counted(count, "body", "bodies"));
        assert_eq!(said, ["0 bodies", "1 body", "2 bodies"]);
    }
}
