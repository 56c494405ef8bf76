//! Which instructions the vector kernels are compiled for, chosen once per call at run time.
//!
//! A kernel is written once, generic over [`Arith`], as plain loops over blocks of rows. [`dispatch`] compiles it for each
//! [`Level`] and enters the copy that the caller asked for; inside, everything is inlined, so the compiler vectorises the
//! loops with the instructions of that level. This is the only `unsafe` code of the engine.
//!
//! Two levels may differ in the last bits (a fused multiply-add rounds once). [`Level::Portable`] never fuses and calls
//! no function of the platform's mathematics library, so it gives the same bits on every machine.

use crate::error::Error;

/// How `a * b + c` is computed: the one arithmetic choice in which levels differ.
pub trait Arith: Copy + Send + Sync + 'static {
    /// The level whose kernels use this arithmetic on this architecture.
    const LEVEL: Level;

    /// `a * b + c`, with one rounding or two.
    fn mul_add(a: f64, b: f64, c: f64) -> f64;
}

/// One rounding: only where the processor has the instruction; elsewhere it would be a slow library call.
#[derive(Clone, Copy, Debug)]
pub struct Fused;

/// The same in vectors of 512 bits: other instructions, the same bits.
#[derive(Clone, Copy, Debug)]
pub struct FusedWide;

/// Two roundings: a multiplication, then an addition.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Arith for Fused {
    const LEVEL: Level = if cfg!(target_arch = "aarch64") { Level::Neon } else { Level::Avx2Fma };

    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }
}

impl Arith for FusedWide {
    const LEVEL: Level = Level::Avx512;

    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }
}

impl Arith for Plain {
    const LEVEL: Level = Level::Portable;

    #[inline(always)]
    fn mul_add(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }
}

/// A piece of work that is compiled for every level.
pub trait Work {
    /// What it gives back.
    type Out;

    /// Does the work. Implementations must be `#[inline(always)]`, or the loops are compiled without the level's instructions.
    fn run<A: Arith>(self) -> Self::Out;
}

/// A set of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Baseline instructions, nothing fused: the same bits on every machine.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2Fma,
    /// x86-64 with AVX-512 (F, DQ, VL).
    Avx512,
    /// 64-bit ARM, whose baseline has vectors and fused multiply-add.
    Neon,
}

impl Level {
    /// Every level, slowest first.
    pub const ALL: [Level; 4] = [Level::Portable, Level::Avx2Fma, Level::Avx512, Level::Neon];

    /// The name that users see and type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::Avx2Fma => "avx2+fma",
            Level::Avx512 => "avx512",
            Level::Neon => "neon",
        }
    }

    /// Whether this machine has the instructions.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Level::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2Fma => std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                Level::Avx2Fma.is_available()
                    && std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx2Fma | Level::Avx512 => false,
            Level::Neon => cfg!(target_arch = "aarch64"),
        }
    }

    /// The fastest level of this machine.
    #[must_use]
    pub fn best() -> Level {
        let mut best = Level::Portable;
        for level in Level::ALL {
            if level.is_available() {
                best = level;
            }
        }
        best
    }

    /// The level that a user's word stands for; `"auto"` is the fastest.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if no level has that name, or this machine lacks its instructions.
    pub fn from_name(name: &str) -> Result<Level, Error> {
        if name == "auto" {
            return Ok(Level::best());
        }
        Level::ALL.into_iter().find(|level| level.name() == name && level.is_available()).ok_or_else(|| {
            let available = Level::ALL.iter().filter(|level| level.is_available()).map(|level| level.name());
            Error::unknown_name("kernels", name, std::iter::once("auto").chain(available))
        })
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2_fma<W: Work>(work: W) -> W::Out {
    work.run::<Fused>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl")]
fn run_avx512<W: Work>(work: W) -> W::Out {
    work.run::<FusedWide>()
}

/// Does `work` with the instructions of `level`; with baseline instructions where this machine lacks them.
#[inline]
pub fn dispatch<W: Work>(level: Level, work: W) -> W::Out {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2Fma if level.is_available() => {
            // SAFETY: `is_available` has just confirmed that this processor executes AVX2 and FMA, which is all that
            // `run_avx2_fma` requires of its caller.
            #[expect(unsafe_code, reason = "run-time CPU dispatch; with its twin below the engine's only unsafe calls")]
            unsafe {
                run_avx2_fma(work)
            }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => {
            // SAFETY: as above, for all the features that `run_avx512` requires of its caller.
            #[expect(unsafe_code, reason = "run-time CPU dispatch, as above")]
            unsafe {
                run_avx512(work)
            }
        }
        #[cfg(target_arch = "aarch64")]
        Level::Neon => work.run::<Fused>(),
        _ => work.run::<Plain>(),
    }
}
