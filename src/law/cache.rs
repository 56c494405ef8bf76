//! Compiled laws, kept for the next call: a few dozen, the least recently used leave.

use std::sync::Arc;
use std::sync::Mutex;

use crate::error::Error;
use crate::law::CompiledLaw;
use crate::law::Residual;
use crate::law::compiled::Declared;
use crate::law::compiled::compile_law;

/// Most laws kept.
const MOST: usize = 64;

static CACHE: Mutex<Vec<(Declared, Arc<CompiledLaw>)>> = Mutex::new(Vec::new());

/// The compiled law of a declaration, from the cache or new.
///
/// The lock is only ever tried: in a forked child it may be held by a thread that does not exist there, and a law
/// compiles in a fraction of a millisecond anyway.
pub(crate) fn compiled(declared: &Declared) -> Result<Arc<CompiledLaw>, Error> {
    if let Ok(mut cache) = CACHE.try_lock()
        && let Some(place) = cache.iter().position(|(known, _)| known == declared)
    {
        let entry = cache.remove(place);
        let law = Arc::clone(&entry.1);
        cache.push(entry);
        return Ok(law);
    }
    let law = Arc::new(compile_law(declared)?);
    if let Ok(mut cache) = CACHE.try_lock() {
        if cache.len() >= MOST {
            cache.remove(0);
        }
        cache.push((declared.clone(), Arc::clone(&law)));
    }
    Ok(law)
}

impl CompiledLaw {
    /// As [`CompiledLaw::new`], from the cache where it is there.
    ///
    /// # Errors
    /// Those of [`CompiledLaw::new`].
    pub fn shared(
        text: &str,
        variables: &[String],
        parameters: Option<&[String]>,
        residual: Residual,
    ) -> Result<Arc<CompiledLaw>, Error> {
        compiled(&Declared::new(text, variables, parameters, residual))
    }
}
