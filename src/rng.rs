//! Random numbers as a function of names: the seed, what the numbers are for, the unit and the replicate.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a
//! counter goes through ten rounds of a keyed bijection. It has no state but the counter, so any stream can be made anywhere,
//! and the same fit gets the same numbers in any batch, chunk, thread or machine. The layout, which [`STREAM_VERSION`]
//! names, is
//!
//! | word | holds |
//! |---|---|
//! | key 0, 1 | the seed, low and high 32 bits |
//! | counter 0 | the block's number (24 bits) and, above it, the purpose (8 bits) |
//! | counter 1 | the replicate |
//! | counter 2, 3 | the unit's key, low and high 32 bits |
//!
//! Every block gives two 64-bit numbers, words (0, 1) first, the low word first.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Plain;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::special;

/// The version of everything here that decides which numbers come out: layout, hash and draws.
pub const STREAM_VERSION: u32 = 1;

/// The blocks of a stream; a stream that draws more begins again.
const BLOCKS: u32 = 1 << 24;

/// What random numbers are for; two purposes never share a number.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Where fits begin.
    Starts = 0,
    /// Which rows a replicate takes, or their weights.
    Resample = 1,
    /// Synthetic errors.
    Noise = 2,
    /// Probes by which the engine checks itself.
    Check = 3,
    /// What is known of a parameter beforehand.
    Prior = 4,
}

/// A sequence of random numbers: 2²⁴ blocks of two.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    /// Counter 0 without the block's number, and the other counters.
    counter: [u32; 4],
    block: u32,
    /// The second number of the last block, if it is still to be given.
    pending: Option<u64>,
}

/// The stream of a unit's replicate for a purpose; the unit's key is from [`hash_key`] or [`row_key`].
#[must_use]
pub fn stream(seed: u64, unit_key: u64, replicate: u32, purpose: Purpose) -> Stream {
    let [unit_low, unit_high] = halves(unit_key);
    Stream {
        key: halves(seed),
        counter: [(purpose as u32) << 24, replicate, unit_low, unit_high],
        block: 0,
        pending: None,
    }
}

impl Stream {
    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        if let Some(second) = self.pending.take() {
            return second;
        }
        let mut counter = self.counter;
        counter[0] |= self.block;
        self.block = (self.block + 1) % BLOCKS;
        let [a, b, c, d] = philox(counter, self.key);
        self.pending = Some(joined(c, d));
        joined(a, b)
    }

    /// A number between 0 and 1, neither of them: (k + ½) / 2⁵² for 52 random bits k, so 53 significant bits.
    pub fn uniform(&mut self) -> f64 {
        uniform(self.next_u64())
    }

    /// An integer from 0 to `n` − 1, every one equally likely; 0 if `n` is 0.
    ///
    /// The high half of a 128-bit product, without its slight excess (Lemire, "Fast random integer generation in an
    /// interval", 2019).
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        loop {
            if let Some(found) = below(self.next_u64(), n) {
                return found;
            }
        }
    }

    /// An exponential number of mean 1: −ln of a [uniform](Stream::uniform) one.
    pub fn exponential(&mut self) -> f64 {
        -special::ln::<Plain>(self.uniform())
    }

    /// A standard normal number from two uniform ones (Box & Muller 1958); the sine of the pair is not used.
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * special::cos::<Plain>(std::f64::consts::TAU * self.uniform())
    }
}

/// The integer below `n` that 64 random bits stand for, if they stand for one; see [`Stream::below`].
#[inline(always)]
pub(crate) fn below(bits: u64, n: u64) -> Option<u64> {
    let high = ((u128::from(bits) * u128::from(n)) >> 64) as u64;
    let low = bits.wrapping_mul(n);
    // The first test is implied by the second and spares the division.
    (low >= n || low >= n.wrapping_neg() % n).then_some(high)
}

/// The number between 0 and 1 that 64 random bits stand for; see [`Stream::uniform`].
#[inline(always)]
pub(crate) fn uniform(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * f64::EPSILON
}

/// The first two numbers of the streams of many units, `firsts` and `seconds`: what [`stream`] gives one at a time.
pub(crate) fn first_numbers(
    level: Level,
    seed: u64,
    keys: &[u64],
    replicate: u32,
    purpose: Purpose,
    firsts: &mut Vec<u64>,
    seconds: &mut Vec<u64>,
) {
    firsts.resize(keys.len(), 0);
    seconds.resize(keys.len(), 0);
    dispatch(level, FirstNumbers { seed, keys, replicate, purpose, firsts, seconds });
}

/// Units whose numbers are made together.
const LANES: usize = 8;

struct FirstNumbers<'a> {
    seed: u64,
    keys: &'a [u64],
    replicate: u32,
    purpose: Purpose,
    firsts: &'a mut [u64],
    seconds: &'a mut [u64],
}

impl Work for FirstNumbers<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let FirstNumbers { seed, keys, replicate, purpose, firsts, seconds } = self;
        let key = halves(seed);
        let words = [u64::from((purpose as u32) << 24), u64::from(replicate)];
        let (whole, rest) = keys.as_chunks::<LANES>();
        let (whole_firsts, rest_firsts) = firsts.as_chunks_mut::<LANES>();
        let (whole_seconds, rest_seconds) = seconds.as_chunks_mut::<LANES>();
        for ((keys, firsts), seconds) in whole.iter().zip(whole_firsts).zip(whole_seconds) {
            [*firsts, *seconds] = numbers_of(keys, words, key);
        }
        if !rest.is_empty() {
            let mut padded = [0; LANES];
            padded[..rest.len()].copy_from_slice(rest);
            let [firsts, seconds] = numbers_of(&padded, words, key);
            rest_firsts.copy_from_slice(&firsts[..rest.len()]);
            rest_seconds.copy_from_slice(&seconds[..rest.len()]);
        }
    }
}

/// The first two numbers of each unit; `words` are the purpose and the replicate.
#[inline(always)]
fn numbers_of(keys: &[u64; LANES], [purpose, replicate]: [u64; 2], key: [u32; 2]) -> [[u64; LANES]; 2] {
    let counter = [[purpose; LANES], [replicate; LANES], keys.map(|k| k & LOW), keys.map(|k| k >> 32)];
    let [a, b, c, d] = philox_lanes(counter, key);
    let joined = |low: [u64; LANES], high: [u64; LANES]| std::array::from_fn(|i| (low[i] & LOW) | (high[i] << 32));
    [joined(a, b), joined(c, d)]
}

/// The low 32 bits.
const LOW: u64 = 0xffff_ffff;

/// [`philox`] of several counters, each word in the low half of an element; the high half of what comes out holds anything.
#[inline(always)]
fn philox_lanes(counter: [[u64; LANES]; 4], key: [u32; 2]) -> [[u64; LANES]; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut key_0, mut key_1] = key;
    for _ in 0..10 {
        for i in 0..LANES {
            // The instruction multiplies low halves, so these masks cost nothing and no other is needed.
            let product_0 = u64::from(MULTIPLIERS[0]) * (a[i] & LOW);
            let product_1 = u64::from(MULTIPLIERS[1]) * (c[i] & LOW);
            let next_a = (product_1 >> 32) ^ b[i] ^ u64::from(key_0);
            let next_c = (product_0 >> 32) ^ d[i] ^ u64::from(key_1);
            (a[i], b[i], c[i], d[i]) = (next_a, product_1, next_c, product_0);
        }
        key_0 = key_0.wrapping_add(INCREMENTS[0]);
        key_1 = key_1.wrapping_add(INCREMENTS[1]);
    }
    [a, b, c, d]
}

/// A stable 64-bit hash of the canonical bytes of a unit's name; bytes of different kinds begin with different tags.
///
/// Philox in a Miyaguchi–Preneel chain: blocks of 16 bytes, the last one padded with zeros, are the counter; the key is the
/// chain value, which begins with the length, so that padding causes no collision. Among n names, any two collide with
/// probability about n² / 2⁶⁵. It does not resist an attacker.
#[must_use]
pub fn hash_key(bytes: &[u8]) -> u64 {
    let mut chain = HASH_START ^ bytes.len() as u64;
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        chain = absorb(chain, block);
    }
    if blocks.is_empty() || !tail.is_empty() {
        let mut block = [0; 16];
        block[..tail.len()].copy_from_slice(tail);
        chain = absorb(chain, &block);
    }
    chain
}

/// The key of a unit that is known by its row number alone.
#[must_use]
pub fn row_key(row: u64) -> u64 {
    let mut bytes = [ROW_TAG; 9];
    bytes[1..].copy_from_slice(&row.to_le_bytes());
    hash_key(&bytes)
}

/// The first byte of a row number's canonical bytes.
const ROW_TAG: u8 = b'r';

/// Where hashes begin: the bytes `lawfit:` and [`STREAM_VERSION`], whose place is not that of a length.
const HASH_START: u64 =
    u64::from_be_bytes([b'l', b'a', b'w', b'f', b'i', b't', b':', 0]) ^ ((STREAM_VERSION as u64) << 32);

/// The chain value after one more block.
fn absorb(chain: u64, block: &[u8; 16]) -> u64 {
    let (words, _) = block.as_chunks::<4>();
    let message = [0, 1, 2, 3].map(|i| u32::from_le_bytes(words[i]));
    let mixed = philox(message, halves(chain));
    let folded = [0, 1, 2, 3].map(|i| mixed[i] ^ message[i]);
    chain ^ joined(folded[0], folded[1]) ^ joined(folded[3], folded[2])
}

/// The multipliers and the key increments of Philox4x32.
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const INCREMENTS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// Philox4x32-10: the counter under a bijection that the key chooses.
fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut key_0, mut key_1] = key;
    for _ in 0..10 {
        let [low_0, high_0] = halves(u64::from(MULTIPLIERS[0]) * u64::from(a));
        let [low_1, high_1] = halves(u64::from(MULTIPLIERS[1]) * u64::from(c));
        (a, b, c, d) = (high_1 ^ b ^ key_0, low_1, high_0 ^ d ^ key_1, low_0);
        key_0 = key_0.wrapping_add(INCREMENTS[0]);
        key_1 = key_1.wrapping_add(INCREMENTS[1]);
    }
    [a, b, c, d]
}

/// The low and the high 32 bits.
fn halves(x: u64) -> [u32; 2] {
    [(x & 0xffff_ffff) as u32, (x >> 32) as u32]
}

/// 64 bits from the low and the high 32.
fn joined(low: u32, high: u32) -> u64 {
    u64::from(low) | (u64::from(high) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_known_answers() {
        // The vectors of Random123's kat_vectors for philox4x32-10.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi_digits = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        let answer = [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1];
        assert_eq!(philox(pi_digits, [0xa409_3822, 0x299f_31d0]), answer);
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let mut numbers = stream(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 7, Purpose::Noise);
        for block in 0..3 {
            let counter = [(2 << 24) | block, 7, 0x7654_3210, 0xfedc_ba98];
            let [a, b, c, d] = philox(counter, [0x89ab_cdef, 0x0123_4567]);
            assert_eq!(numbers.next_u64(), (u64::from(b) << 32) | u64::from(a));
            assert_eq!(numbers.next_u64(), (u64::from(d) << 32) | u64::from(c));
        }
    }

    #[test]
    fn many_first_numbers_are_those_of_the_streams_at_every_level() {
        let keys: Vec<u64> = (0..37).map(row_key).collect();
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            let (mut firsts, mut seconds) = (vec![], vec![]);
            first_numbers(level, 0x1234_5678_9abc_def0, &keys, 11, Purpose::Resample, &mut firsts, &mut seconds);
            for (i, &key) in keys.iter().enumerate() {
                let mut numbers = stream(0x1234_5678_9abc_def0, key, 11, Purpose::Resample);
                assert_eq!((firsts[i], seconds[i]), (numbers.next_u64(), numbers.next_u64()), "{}", level.name());
            }
        }
    }

    #[test]
    fn a_stream_begins_again_after_its_last_block() {
        let mut numbers = stream(1, 2, 3, Purpose::Resample);
        let first = numbers.next_u64();
        numbers.block = BLOCKS - 1;
        numbers.pending = None;
        let _last = (numbers.next_u64(), numbers.next_u64());
        assert_eq!(numbers.next_u64(), first);
    }

    #[test]
    fn version_1_gives_these_numbers() {
        assert_eq!(STREAM_VERSION, 1, "store the answers of the later version here");
        let mut numbers = stream(42, hash_key(b"fit"), 3, Purpose::Starts);
        assert_eq!(
            [numbers.next_u64(), numbers.next_u64(), numbers.next_u64()],
            [0x7b37_d0d3_fcb4_54fc, 0xc5f3_a23a_8ac5_240e, 0x50c1_0681_9b7e_47f5]
        );
        assert_eq!(numbers.uniform().to_bits(), 0x3fd2_1beb_d083_3756);
        assert_eq!(
            [numbers.below(10), numbers.below(1_000_000_007), numbers.below(u64::MAX)],
            [4, 37_385_616, 310_463_101_939_356_726]
        );
        assert_eq!(numbers.exponential().to_bits(), 0x3ffc_cfd7_0533_5141);
        assert_eq!(numbers.normal().to_bits(), 0x3ff4_674e_9aaf_b564);
        assert_eq!(hash_key(b""), 0xec65_3922_5d02_13c9);
        assert_eq!(hash_key(b"a"), 0x0e00_83b5_9166_eef9);
        assert_eq!(hash_key(b"0123456789abcdef"), 0x73fe_30c1_584a_83c8);
        assert_eq!(hash_key(&[0; 17]), 0x2699_57c1_7440_1189);
        assert_eq!(row_key(0), 0x3f3c_0f33_d875_3e69);
        assert_eq!(row_key(1), 0x6050_e335_e0b9_8c5c);
        assert_eq!(row_key(u64::MAX), 0x21a4_b885_0de5_6897);
    }

    #[test]
    fn every_name_of_a_stream_matters() {
        let first = |mut numbers: Stream| numbers.next_u64();
        let mut all = vec![
            first(stream(0, 0, 0, Purpose::Starts)),
            first(stream(1, 0, 0, Purpose::Starts)),
            first(stream(1 << 32, 0, 0, Purpose::Starts)),
            first(stream(0, 1, 0, Purpose::Starts)),
            first(stream(0, 1 << 32, 0, Purpose::Starts)),
            first(stream(0, 0, 1, Purpose::Starts)),
            first(stream(0, 0, 0, Purpose::Resample)),
            first(stream(0, 0, 0, Purpose::Noise)),
            first(stream(0, 0, 0, Purpose::Check)),
            first(stream(0, 0, 0, Purpose::Prior)),
        ];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10);
    }

    #[test]
    fn keys_of_ordinary_names_do_not_collide() {
        let mut keys: Vec<u64> = (0..200_000).map(row_key).collect();
        keys.extend((0..100_000).map(|i| hash_key(format!("run-{i}").as_bytes())));
        keys.extend((0..40).map(|length| hash_key(&vec![0; length])));
        let n = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), n);
    }

    #[test]
    fn one_bit_of_a_name_changes_half_of_its_key() {
        let mut changed = 0;
        for row in 0..1000 {
            for bit in 0..64 {
                changed += (row_key(row) ^ row_key(row ^ (1 << bit))).count_ones();
            }
        }
        let mean = f64::from(changed) / 64_000.0;
        assert!((mean - 32.0).abs() < 0.1, "{mean}");
    }

    /// Sample moments of 2¹⁸ numbers may miss by 5 standard errors of these.
    const N: u32 = 1 << 18;

    fn moments(mut draw: impl FnMut(&mut Stream) -> f64) -> (f64, f64) {
        let mut numbers = stream(2026, 5, 0, Purpose::Check);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..N {
            let x = draw(&mut numbers);
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(N);
        (mean, squares / f64::from(N) - mean * mean)
    }

    #[test]
    fn distributions_have_their_mean_and_variance() {
        // The standard error of the mean is sd / 512, of the variance sqrt(fourth central moment − variance²) / 512.
        let (mean, variance) = moments(Stream::uniform);
        assert!((mean - 0.5).abs() < 5.0 * 0.289 / 512.0 && (variance - 1.0 / 12.0).abs() < 5.0 * 0.075 / 512.0);
        let (mean, variance) = moments(Stream::exponential);
        assert!((mean - 1.0).abs() < 5.0 / 512.0 && (variance - 1.0).abs() < 5.0 * 2.83 / 512.0);
        let (mean, variance) = moments(Stream::normal);
        assert!(mean.abs() < 5.0 / 512.0 && (variance - 1.0).abs() < 5.0 * 1.42 / 512.0);
        let (mean, variance) = moments(|numbers| numbers.below(7) as f64);
        assert!((mean - 3.0).abs() < 5.0 * 2.0 / 512.0 && (variance - 4.0).abs() < 5.0 * 3.47 / 512.0);
    }

    #[test]
    fn uniform_numbers_are_strictly_inside() {
        let largest = ((u64::MAX >> 12) as f64 + 0.5) * f64::EPSILON;
        assert!(largest < 1.0 && 0.5 * f64::EPSILON > 0.0);
    }

    #[test]
    fn below_stays_below_and_reaches_everything() {
        let mut numbers = stream(9, 9, 9, Purpose::Check);
        assert_eq!((numbers.below(0), numbers.below(1)), (0, 0));
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[usize::try_from(numbers.below(10)).unwrap()] += 1;
        }
        // Chi-square with 9 degrees of freedom exceeds 33.7 once in 10⁴ seeds.
        let chi_square: f64 = counts.iter().map(|&count| (f64::from(count) - 1e4).powi(2) / 1e4).sum();
        assert!(chi_square < 33.7, "{chi_square}");
        // Just above half of 2⁶⁴, almost every second draw is rejected.
        let n = (1 << 63) + 1;
        assert!((0..1000).all(|_| numbers.below(n) < n));
    }
}
