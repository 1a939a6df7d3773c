//! Enums as tables: one row per variant, with its description.

/// Declares an enum with `ALL`, in the order of the rows, and `describe`, which returns a row's text.
macro_rules! described {
    ($(#[$of_enum:meta])* $vis:vis enum $kind:ident { $($(#[$of_row:meta])* $name:ident: $text:literal,)* }) => {
        $(#[$of_enum])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        $vis enum $kind {
            $($(#[$of_row])* #[doc = $text] $name,)*
        }

        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn describe(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}
