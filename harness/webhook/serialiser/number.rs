//! How each language prints a number that it has parsed.
//!
//! Invariant: a number is read as written, and becomes a double only if the language makes it one.

/// The text of a number that is too large for a double, in languages that keep infinities.
pub(super) const INFINITY: &str = "Infinity";

/// How many digits an integer may have in Python (`sys.get_int_max_str_digits()`).
const PYTHON_DIGITS: usize = 4300;

/// ECMAScript's `Number::toString`. `None` for a number that is too large for a double: JavaScript prints it as `null`.
pub(super) fn javascript(raw: &str) -> Option<String> {
    let double = finite(raw)?;
    // Minus zero has no sign in JavaScript's text.
    Some(if double == 0.0 { "0".to_owned() } else { ecmascript(double) })
}

/// `str` of an integer of any size, or `repr` of a float, which may be [`INFINITY`]. `None` for an integer with too many
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

/// `encoding/json` of a `float64`. `None` for a number that is too large for one.
pub(super) fn go(raw: &str) -> Option<String> {
    let double = finite(raw)?;
    // Go switches to exponents at the same limits as ECMAScript, and removes the leading zero of the exponent.
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
    // Rust parses every JSON number, and rounds as IEEE 754 requires.
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

/// 0.DIGITS times ten to the power of `point`: the fewest digits that parse to the same double. If there are several, the
/// nearest; on a tie, the even one.
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
        // Without a precision, Rust rounds a tie up. These languages round it to even, as Rust does with a precision.
        let even = format!("{magnitude:.fraction$e}");
        if even.parse() == Ok(magnitude) {
            text = even;
        }
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_else(|_| unreachable!("an exponent is an integer"));
        // Zero has its point after its one digit, like every number below ten.
        Self { negative: double.is_sign_negative(), digits: digits.replace('.', ""), point: exponent + 1 }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    /// Without an exponent, filled up with zeros.
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

    /// One digit before the point, the others or `bare` after it, and the exponent with its sign.
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
