//! Decodes compressed bodies (RFC 1950 to 1952), so that the suite sees which event such a request carries.
//!
//! Invariant: bounded. What is longer than a body may be, or is not valid, is not decoded. Checksums are not verified.

/// The lengths and distances of matches: the first value of each code, and its extra bits.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];
/// The order in which the lengths of the codes for code lengths are sent.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_CODE: usize = 15;

/// The text of a body with this content coding, if it is `gzip` or `deflate`, valid, and at most this long.
pub(crate) fn decode(coding: &[u8], body: &[u8], most: usize) -> Option<Vec<u8>> {
    let is = |name: &str| coding.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
    let deflated = if is("gzip") || is("x-gzip") {
        after_gzip_head(body)?
    } else if is("deflate") {
        // With the head that the standard asks for, or without, as some send it.
        let has_head =
            body.len() > 2 && body[0] & 15 == 8 && u16::from_be_bytes([body[0], body[1]]).is_multiple_of(31);
        if has_head { &body[2..] } else { body }
    } else {
        return None;
    };
    inflate(deflated, most)
}

fn after_gzip_head(body: &[u8]) -> Option<&[u8]> {
    let (flags, mut rest) = (*body.get(3)?, body.get(10..)?);
    if !body.starts_with(&[0x1f, 0x8b, 8]) {
        return None;
    }
    if flags & 4 != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for text in [8, 16] {
        if flags & text != 0 {
            rest = rest.get(rest.iter().position(|&byte| byte == 0)? + 1..)?;
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

/// Bits, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn one(&mut self) -> Option<u16> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn number(&mut self, bits: u8) -> Option<u16> {
        (0..bits).try_fold(0, |number, at| Some(number | self.one()? << at))
    }
}

/// A canonical code: how many codes there are of each length, and the symbols in the order of their codes.
struct Code {
    counts: [u16; LONGEST_CODE + 1],
    symbols: Vec<u16>,
}

impl Code {
    fn of(lengths: &[u8]) -> Self {
        let mut counts = [0; LONGEST_CODE + 1];
        let mut used: Vec<(u8, u16)> = (0..).zip(lengths).map(|(symbol, &length)| (length, symbol)).collect();
        used.retain(|(length, _)| *length > 0);
        used.iter().for_each(|(length, _)| counts[usize::from(*length)] += 1);
        used.sort_unstable();
        Self { counts, symbols: used.into_iter().map(|(_, symbol)| symbol).collect() }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut index) = (0_u32, 0_u32, 0_u32);
        for &count in &self.counts[1..] {
            code |= u32::from(bits.one()?);
            let count = u32::from(count);
            if code < first + count {
                return self.symbols.get((index + code - first) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

fn inflate(deflated: &[u8], most: usize) -> Option<Vec<u8>> {
    let (mut bits, mut text) = (Bits { bytes: deflated, at: 0 }, Vec::new());
    loop {
        let is_last = bits.one()? == 1;
        match bits.number(2)? {
            0 => stored(&mut bits, &mut text, most)?,
            1 => {
                let length = |symbol| match symbol {
                    0..=143 => 8,
                    144..=255 => 9,
                    256..=279 => 7,
                    _ => 8,
                };
                let literals: Vec<u8> = (0..288).map(length).collect();
                matches(&mut bits, &Code::of(&literals), &Code::of(&[5; 30]), &mut text, most)?;
            }
            2 => {
                let (literals, distances) = own_codes(&mut bits)?;
                matches(&mut bits, &literals, &distances, &mut text, most)?;
            }
            _ => return None,
        }
        if is_last {
            return Some(text);
        }
    }
}

/// A block without compression.
fn stored(bits: &mut Bits<'_>, text: &mut Vec<u8>, most: usize) -> Option<()> {
    let at = bits.at.div_ceil(8);
    let length = usize::from(u16::from_le_bytes([*bits.bytes.get(at)?, *bits.bytes.get(at + 1)?]));
    let block = bits.bytes.get(at + 4..at + 4 + length)?;
    bits.at = (at + 4 + length) * 8;
    text.extend_from_slice(block);
    (text.len() <= most).then_some(())
}

/// The codes that a block brings along.
fn own_codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    let literals = usize::from(bits.number(5)?) + 257;
    let distances = usize::from(bits.number(5)?) + 1;
    let count = usize::from(bits.number(4)?) + 4;
    let mut lengths = [0_u8; 19];
    for &place in &ORDER[..count] {
        lengths[place] = u8::try_from(bits.number(3)?).ok()?;
    }
    let code = Code::of(&lengths);
    let mut lengths = Vec::with_capacity(literals + distances);
    while lengths.len() < literals + distances {
        let (length, times) = match code.next(bits)? {
            16 => (*lengths.last()?, bits.number(2)? + 3),
            17 => (0, bits.number(3)? + 3),
            18 => (0, bits.number(7)? + 11),
            length => (u8::try_from(length).ok()?, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times.into()));
    }
    let (literals, distances) = lengths.split_at(literals);
    Some((Code::of(literals), Code::of(distances)))
}

/// A block of literals and matches.
fn matches(
    bits: &mut Bits<'_>,
    literals: &Code,
    distances: &Code,
    text: &mut Vec<u8>,
    most: usize,
) -> Option<()> {
    loop {
        let symbol = literals.next(bits)?;
        if let Ok(literal) = u8::try_from(symbol) {
            text.push(literal);
        } else if symbol == 256 {
            return Some(());
        } else {
            let (first, extra) = *LENGTHS.get(usize::from(symbol) - 257)?;
            let length = first + bits.number(extra)?;
            let (first, extra) = *DISTANCES.get(usize::from(distances.next(bits)?))?;
            let from = text.len().checked_sub((first + bits.number(extra)?).into())?;
            // It may overlap with what it adds.
            (0..usize::from(length)).for_each(|at| text.push(text[from + at]));
        }
        if text.len() > most {
            return None;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::decode;

    // Compressed by Python's zlib: with fixed codes, in zlib's form, and in gzip's form with codes of its own.
    const TEXT: &str = r#"{"event":"person.created","data":{"id":"11111111-2222-4333-8444-555555555555","name":"abcabcabcabcabcabcabcabcabcabcabcabcabcabcabc"}}"#;
    const FIXED: &str = "ab564a2d4bcd2b51b2522a482d2acecfd34b2e4a4d2c494d51d2514a492c4954b2aa56ca4c01ca1a4281ae1110e89a181b1beb5a989898e89a2201a09ebcc4dc54a0eac4a464e291526d2d00";
    const ZLIB: &str = "78daab564a2d4bcd2b51b2522a482d2acecfd34b2e4a4d2c494d51d2514a492c4954b2aa56ca4c01ca1a4281ae1110e89a181b1beb5a989898e89a2201a09ebcc4dc54a0eac4a464e291526d2d005d22292f";
    const LETTERS: &str = r#"h,:e },ca} :hg}::} ehe" acf,b a }   ,{e dbe}g    " , :, ,h a f :,,dg,  dc}}c c ea   dbb , : "hb acd:bg   eb   e  {" :d"  h   " : a , a ,eb {   }a,ba  { , f f     da,e "h h f dd  h{fc g,{ hdb"g ,f  c ,e  " {    , b ega}" :hb{" : hc, dhbb"g ,ba}df" ha": bd e :}b hgd:dfh ea}, b h "" b} abebdbc}bc""} f c   ,   g  de:a c,fb {: b b }   {ahg: ,c h ea  : d{d" d ,:d,a}eh b"c,d fa dad} , cb,""hd:d:b: ,fchfh{     : c "h f ,,"}e efd}}"{,fe ge," h:  ,, g a } gf, h }e }g{,:a}c b{hhcg hg efb fb f ccdc  b {, aa    }cg,} e: d c d{" d"  {  d ,:"d}" b ,fef {dd:e  : f{} fcdf::,  d   beb}" h"   {:c }de ,dd,dfg,  e"#;
    const GZIP: &str = "1f8b08000000000002031d52c111c020085b25e79b09d8464064078fdd1b5adb9e574948484bf4a0c57743ebb66ae3d459d89e62d86800f20ec24e5feeb1205081140f933b892b4078b7c371364bc26c8ab08a0c1e6a033c362fe02d682ca07e2e258bccc3e3c72fbdc548f1f831b9e68a2d8754042422087ce9b8f25061eb4258e5c40fdb301069387737c9cba61bca0551f657dbeec885da4b614141da86baa19145f53de8c25ab0c6b66361dee66b35bbfbcf0ed04e1cdd7049aa260fd7cce9edba0a71d43f07453c3a0d8886ec3e055b2e81dcf4144d2a3759abd85b8db8f4cafa2d10ea633921b2fae06474af2779708f50bd528850c7e47353d890557d9fe8660cf6aafcd2158186b9e11e544fb51cf64484f62b8c9a1ad92a38a6c984cd47ed0a0e8f11e649bc08fe2014948f23f048d5899b0c1c0ecb6a8d7175741c488444ceff703ee91494a458020000";

    fn decoded(coding: &str, hex: &str) -> Option<String> {
        let text = decode(coding.as_bytes(), &const_hex::decode(hex).unwrap(), 1000)?;
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn decodes_each_form() {
        for (coding, hex, text) in
            [("deflate", FIXED, TEXT), ("deflate", ZLIB, TEXT), (" GZIP", GZIP, LETTERS)]
        {
            assert_eq!(decoded(coding, hex).as_deref(), Some(text), "{coding}");
        }
    }

    #[test]
    fn what_is_not_valid_is_not_decoded() {
        let whole = const_hex::decode(GZIP).unwrap();
        for length in 0..whole.len() - 9 {
            assert_eq!(decode(b"gzip", &whole[..length], 1000), None, "{length}");
        }
        assert_eq!(decode(b"br", &whole, 1000), None);
        assert_eq!(decode(b"gzip", &whole, LETTERS.len() - 1), None);
        for at in 0..whole.len() {
            // Any answer is fine, as long as there is one.
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let _ = decode(b"gzip", &changed, 1000);
        }
    }
}
