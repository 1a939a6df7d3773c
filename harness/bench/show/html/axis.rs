//! The axes of charts: where a value is, and the ticks that have room.
//!
//! Every place is a share of the drawing from 0 to 1, whatever the figures are.

/// The width of a chart on a phone, and the least on a wider page, in CSS pixels.
const NARROW: f64 = 270.0;
const WIDE: f64 = 480.0;
/// The height of a chart.
const HEIGHT: f64 = 240.0;
/// The room that a character and a line take, generously.
const CHARACTER: f64 = 7.5;
const GAP: f64 = 10.0;
const LINE: f64 = 20.0;
/// With more decades than this, only powers of ten have ticks.
const FEW_DECADES: f64 = 3.0;
const MOST_DECADES: f64 = 8.0;

pub(super) struct Axis {
    low: f64,
    high: f64,
    is_logarithmic: bool,
    pub(super) ticks: Vec<Tick>,
}

pub(super) struct Tick {
    /// The value.
    pub(super) at: f64,
    pub(super) name: String,
    /// Whether only a wide page has room for it.
    pub(super) is_wide: bool,
}

impl Axis {
    /// An axis from 0 with these ticks.
    pub(super) fn with_ticks(high: f64, ticks: Vec<(f64, String)>) -> Self {
        let ticks = ticks.into_iter().map(|(at, name)| Tick { at, name, is_wide: false }).collect();
        Self { low: 0.0, high, is_logarithmic: false, ticks }
    }

    /// An axis from 0 with ticks at round numbers.
    pub(super) fn from_zero(high: f64, unit: &str) -> Self {
        let high = if high > 0.0 && high.is_finite() { high } else { 1.0 };
        Self::even(0.0, high, unit)
    }

    /// An axis around values, which need not begin at 0.
    pub(super) fn around(values: &[f64], unit: &str) -> Self {
        let (low, high) = ends(values).unwrap_or((0.0, 1.0));
        let margin = if high > low { (high - low) * 0.1 } else { (high * 0.1).max(1.0) };
        Self::even((low - margin).max(0.0), high + margin, unit)
    }

    fn even(low: f64, high: f64, unit: &str) -> Self {
        let step = round_step(high - low);
        let first = (low / step).ceil();
        let ticks =
            (0..50).map(|at| (first + f64::from(at)) * step).take_while(|at| *at <= high + step * 1e-6);
        let tick = |at| Tick { at, name: format!("{}{unit}", number(at)), is_wide: false };
        Self { low, high, is_logarithmic: false, ticks: ticks.map(tick).collect() }
    }

    /// A logarithmic axis around positive values, with ticks at 1, 2 and 5 times powers of ten, or at powers of ten.
    pub(super) fn logarithmic(values: &[f64]) -> Self {
        let positive: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
        let (low, high) = ends(&positive).unwrap_or((1.0, 10.0));
        let (mut low, mut high) = (round(low, f64::floor), round(high, f64::ceil));
        if high / low < 1.5 {
            (low, high) = (round(low / 1.5, f64::floor), round(high * 1.5, f64::ceil));
        }
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let factors: &[f64] = if (high / low).log10() <= FEW_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = ((last - first) / MOST_DECADES).ceil().max(1.0);
        let powers = (0..=40).map(|at| first + f64::from(at) * every).take_while(|power| *power <= last);
        let ticks = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powf(power)));
        let is_within = |at: &f64| *at >= low * 0.999 && *at <= high * 1.001;
        let tick = |at| Tick { at, name: number(at), is_wide: false };
        Self { low, high, is_logarithmic: true, ticks: ticks.filter(is_within).map(tick).collect() }
    }

    /// The place of a value.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = if self.is_logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        // What is no number is at the beginning.
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// The horizontal axis with the ticks whose names have room, on a phone or on a wider page.
    pub(super) fn across(mut self) -> Self {
        let width = |tick: &Tick| tick.name.chars().count() as f64 * CHARACTER + GAP;
        let fits = |tick: &Tick, end: f64, room: f64, place: f64| place * room - width(tick) / 2.0 >= end;
        let (mut narrow, mut wide) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let mut ticks = Vec::new();
        for mut tick in std::mem::take(&mut self.ticks) {
            let place = self.place(tick.at);
            if !fits(&tick, wide, WIDE, place) {
                continue;
            }
            wide = place * WIDE + width(&tick) / 2.0;
            tick.is_wide = !fits(&tick, narrow, NARROW, place);
            if !tick.is_wide {
                narrow = place * NARROW + width(&tick) / 2.0;
            }
            ticks.push(tick);
        }
        self.ticks = ticks;
        self
    }

    /// The vertical axis with the ticks whose names have room.
    pub(super) fn up(mut self) -> Self {
        let mut last = f64::NEG_INFINITY;
        for tick in std::mem::take(&mut self.ticks) {
            let place = self.place(tick.at) * HEIGHT;
            if place - last >= LINE {
                last = place;
                self.ticks.push(tick);
            }
        }
        self
    }
}

/// The least and the greatest of the values that are numbers.
fn ends(values: &[f64]) -> Option<(f64, f64)> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    Some((finite().reduce(f64::min)?, finite().reduce(f64::max)?))
}

/// 1, 2 or 5 times a power of ten, next to a positive value.
fn round(value: f64, direction: impl Fn(f64) -> f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let within = value / power;
    // Rounds down if the direction does.
    let factor = if direction(0.5) < 0.5 {
        factors.into_iter().rev().find(|factor| *factor <= within * 1.000_001)
    } else {
        factors.into_iter().find(|factor| *factor >= within * 0.999_999)
    };
    factor.unwrap_or(1.0) * power
}

/// 1, 2 or 5 times a power of ten, about a sixth of the whole.
fn round_step(whole: f64) -> f64 {
    if !(whole > 0.0 && whole.is_finite()) {
        return 1.0;
    }
    round(whole / 6.0, f64::ceil)
}

/// A number without digits that only come from rounding. A long one has an exponent.
pub(super) fn number(value: f64) -> String {
    if value.abs() >= 1e6 {
        return format!("{:e}", (value / 1e3).round() * 1e3);
    }
    format!("{}", (value * 1e6).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::Axis;

    fn names(axis: &Axis, narrow: bool) -> Vec<&str> {
        let shown = axis.ticks.iter().filter(|tick| !(narrow && tick.is_wide));
        shown.map(|tick| tick.name.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_have_room() {
        let seconds = Axis::from_zero(60.0, " s").across();
        assert_eq!(names(&seconds, true), ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]);
        let rates = Axis::around(&[12_345.0, 13_500.0], "/s").across();
        assert_eq!(names(&rates, false), ["12500/s", "13000/s", "13500/s"]);
        let percentiles = [(0.0, "0"), (0.3, "50"), (1.0, "90"), (2.0, "99"), (3.0, "99.9"), (4.0, "99.99")];
        let percentiles =
            Axis::with_ticks(4.2, percentiles.map(|(at, name)| (at, name.to_owned())).into()).across();
        assert_eq!(names(&percentiles, false), ["0", "50", "90", "99", "99.9", "99.99"]);
        assert_eq!(names(&percentiles, true), ["0", "90", "99", "99.9", "99.99"]);
        let few = Axis::logarithmic(&[0.3, 2.1]).up();
        assert_eq!(names(&few, false), ["0.2", "0.5", "1", "2", "5"]);
        let many = Axis::logarithmic(&[0.0, 0.1, 5000.0]).up();
        assert_eq!(names(&many, false), ["0.1", "1", "10", "100", "1000"]);
    }

    #[test]
    fn places_are_within_the_drawing() {
        let absurd = [0.0, f64::NAN, f64::INFINITY, 1e-300, 1e300, -1.0];
        let axes = [
            Axis::logarithmic(&absurd),
            Axis::logarithmic(&[]),
            Axis::logarithmic(&[1.0, 1.0]),
            Axis::around(&absurd, ""),
            Axis::around(&[], ""),
            Axis::from_zero(f64::NAN, ""),
        ];
        for axis in axes {
            assert!(axis.ticks.len() <= 50);
            for value in absurd {
                assert!((0.0..=1.0).contains(&axis.place(value)), "{value}");
            }
        }
        let even = Axis::logarithmic(&[1.0, 100.0]);
        assert!((even.place(10.0) - 0.5).abs() < 1e-9);
    }
}
