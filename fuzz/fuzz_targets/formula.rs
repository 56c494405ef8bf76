//! Whatever text arrives, the language of laws answers with values or with an error that points at a column inside it.
#![no_main]

use lawfit::CompiledLaw;
use lawfit::Error;
use lawfit::Level;
use lawfit::Residual;
use lawfit::evaluate;
use lawfit::formula;
use libfuzzer_sys::fuzz_target;

const ROWS: usize = 3;

fuzz_target!(|text: &str| {
    let length = text.chars().count();
    let names: Vec<String> = match formula::names(text) {
        Ok(names) => names.into_iter().map(|(name, at)| if at < length { name } else { panic!("{name} at {at}") }).collect(),
        Err(Error::Formula { column, .. }) => return assert!(column <= length),
        Err(other) => panic!("not an error of the formula: {other}"),
    };
    // Every other name is a variable, so that both kinds meet every operation.
    let variables: Vec<String> = names.iter().step_by(2).cloned().collect();
    let parameters: Vec<String> = names.iter().skip(1).step_by(2).cloned().collect();
    for residual in Residual::ALL {
        let _ = CompiledLaw::new(text, &variables, None, residual);
    }
    let x: Vec<f64> = (0..variables.len() * ROWS).map(|i| 0.5 + i as f64).collect();
    let params: Vec<f64> = (0..parameters.len()).map(|i| 0.25 + i as f64).collect();
    for order in 0..=2 {
        let wrt = if order == 0 { &[] } else { &names[..names.len().min(3)] };
        if let Ok(values) = evaluate(text, &variables, &parameters, &x, ROWS, &params, wrt, order, Level::Portable) {
            assert_eq!(values.len(), ROWS * wrt.len().pow(order as u32));
        }
    }
});
