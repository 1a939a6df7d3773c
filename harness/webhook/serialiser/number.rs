//! How each language prints a number that its parser has read.
//!
//! Invariant: a number is taken as it was written, and becomes a double only where the language makes it one.

/// How a number is written that is too large for a double, where the language has one to hold.
pub(super) const INFINITY: &str = "Infinity";

/// How many digits an integer may have in Python (`sys.get_int_max_str_digits()`).
const PYTHON_DIGITS: usize = 4300;

/// ECMAScript's `Number::toString`. `None` is a number that is too large for a double: JavaScript prints it as `null`.
pub(super) fn javascript(raw: &str) -> Option<String> {
    let double = finite(raw)?;
    // Minus zero has no sign in JavaScript's text.
    Some(if double == 0.0 { "0".to_owned() } else { ecmascript(double) })
}

/// `str` of an integer of any size, `repr` of a float, which may be [`INFINITY`]. `None` is an integer with too many
/// digits.
pub(super) fn python(raw: &str) -> Option<String> {
    if is_integer(raw) {
        let digits = raw.trim_start_matches('-');
        return match digits {
            "0" => Some("0".to_owned()),
            _ => (digits.len() <= PYTHON_DIGITS).then(|| raw.to_owned()),
        };
    }
    let double = double(raw);
    if double.is_infinite() {
        return Some(infinite(double));
    }
    let shortest = Shortest::of(double);
    Some(if (-3..=16).contains(&shortest.point) {
        let text = shortest.positional();
        if text.contains('.') { text } else { text + ".0" }
    } else {
        shortest.exponential("", |exponent| format!("{exponent:02}"))
    })
}

/// `encoding/json` of a `float64`. `None` is a number that is too large for one.
pub(super) fn go(raw: &str) -> Option<String> {
    let double = finite(raw)?;
    // Go draws the line between the two forms where ECMAScript does, and cleans the exponent's leading zero away.
    Some(match double {
        0.0 if double.is_sign_negative() => "-0".to_owned(),
        0.0 => "0".to_owned(),
        _ => ecmascript(double),
    })
}

/// An integer that fits 64 bits, or else a float with `serialize_precision = -1`, which may be [`INFINITY`].
pub(super) fn php(raw: &str) -> String {
    if is_integer(raw)
        && let Ok(integer) = raw.parse::<i64>()
    {
        return integer.to_string();
    }
    let double = double(raw);
    if double.is_infinite() {
        return infinite(double);
    }
    let shortest = Shortest::of(double);
    if (-3..=17).contains(&shortest.point) {
        shortest.positional()
    } else {
        shortest.exponential(".0", |exponent| exponent.to_string())
    }
}

fn infinite(double: f64) -> String {
    format!("{}{INFINITY}", if double < 0.0 { "-" } else { "" })
}

fn is_integer(raw: &str) -> bool {
    !raw.contains(['.', 'e', 'E'])
}

fn double(raw: &str) -> f64 {
    // Rust reads whatever JSON calls a number, and rounds as IEEE 754 asks.
    raw.parse().unwrap_or_else(|_| unreachable!("a JSON number is a number"))
}

fn finite(raw: &str) -> Option<f64> {
    Some(double(raw)).filter(|double| double.is_finite())
}

fn ecmascript(double: f64) -> String {
    let shortest = Shortest::of(double);
    if (-5..=21).contains(&shortest.point) {
        shortest.positional()
    } else {
        shortest.exponential("", |exponent| exponent.to_string())
    }
}

/// The fewest digits that read back as the same double, and of several the nearest, and of two as near the even one:
/// 0.DIGITS times ten to the power of `point`.
struct Shortest {
    negative: bool,
    digits: String,
    point: i32,
}

impl Shortest {
    fn of(double: f64) -> Self {
        let magnitude = double.abs();
        let mut text = format!("{magnitude:e}");
        let fraction = text.find('e').map_or(0, |at| at.saturating_sub(2));
        // Rust rounds a tie up here, and every language in question to even, as Rust does where the digits are counted.
        let even = format!("{magnitude:.fraction$e}");
        if even.parse() == Ok(magnitude) {
            text = even;
        }
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_else(|_| unreachable!("an exponent is an integer"));
        // Zero has its point after its one digit, as every number below ten.
        Self { negative: double.is_sign_negative(), digits: digits.replace('.', ""), point: exponent + 1 }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    /// With as many zeros as it takes to bring the digits to the point.
    fn positional(&self) -> String {
        let (sign, digits) = (self.sign(), &self.digits);
        let Ok(whole) = usize::try_from(self.point) else {
            return format!("{sign}0.{}{digits}", zeros(self.point.unsigned_abs()));
        };
        match digits.split_at_checked(whole) {
            Some(("", fraction)) => format!("{sign}0.{fraction}"),
            Some((whole, "")) => format!("{sign}{whole}"),
            Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{digits}{}", "0".repeat(whole - digits.len())),
        }
    }

    /// One digit before the point, `bare` after it where there are no more, and the exponent with its sign.
    fn exponential(&self, bare: &str, print: impl Fn(u32) -> String) -> String {
        let (first, rest) = self.digits.split_at(1);
        let fraction = if rest.is_empty() { bare.to_owned() } else { format!(".{rest}") };
        let exponent = self.point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}{first}{fraction}e{sign}{}", self.sign(), print(exponent.unsigned_abs()))
    }
}

fn zeros(count: u32) -> String {
    "0".repeat(count as usize)
}
