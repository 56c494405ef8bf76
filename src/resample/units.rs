//! What replicates are drawn from: rows, or clusters of rows, within strata.

use std::collections::BTreeMap;

/// The units of one fit. A unit is known by its key, so that nothing depends on the order of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Units {
    /// The key of each unit, units in the order of their first rows.
    pub(super) keys: Vec<u64>,
    /// Units of each stratum, by rising key.
    pub(super) strata: Vec<Vec<usize>>,
    /// The unit of each row.
    pub(super) of_row: Vec<usize>,
    /// Rows of each unit, by rising key; empty where every row is a unit.
    pub(super) members: Vec<Vec<usize>>,
    /// The key of each row.
    pub(super) row_keys: Vec<u64>,
}

impl Units {
    /// Units of rows with these keys: clusters where `clusters` gives the key of each row's, within the strata of these
    /// codes.
    pub(crate) fn new(row_keys: Vec<u64>, clusters: Option<&[u64]>, strata: Option<&[i64]>) -> Units {
        let n = row_keys.len();
        let mut units = Units { row_keys, ..Units::default() };
        match clusters {
            None => {
                units.keys.clone_from(&units.row_keys);
                units.of_row = (0..n).collect();
            }
            Some(clusters) => {
                let mut places = BTreeMap::new();
                for (row, &key) in clusters.iter().enumerate() {
                    let unit = *places.entry(key).or_insert(units.keys.len());
                    if unit == units.keys.len() {
                        units.keys.push(key);
                        units.members.push(vec![]);
                    }
                    units.of_row.push(unit);
                    units.members[unit].push(row);
                }
                for members in &mut units.members {
                    members.sort_by_key(|&row| (units.row_keys[row], row));
                }
            }
        }
        let mut by_code: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut is_known = vec![false; units.keys.len()];
        for (row, &unit) in units.of_row.iter().enumerate() {
            if !std::mem::replace(&mut is_known[unit], true) {
                by_code.entry(strata.map_or(0, |codes| codes[row])).or_default().push(unit);
            }
        }
        units.strata = by_code.into_values().collect();
        for stratum in &mut units.strata {
            stratum.sort_by_key(|&unit| (units.keys[unit], unit));
        }
        units
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.of_row.len()
    }

    /// The unit of each row.
    pub(crate) fn of_row(&self) -> &[usize] {
        &self.of_row
    }

    /// Gives every row the weight of its unit.
    pub(super) fn spread(&self, of_units: &[f64], out: &mut Vec<f64>) {
        out.clear();
        if self.members.is_empty() {
            out.extend_from_slice(of_units);
        } else {
            out.extend(self.of_row.iter().map(|&unit| of_units[unit]));
        }
    }
}
