//! What controllers decide about a canister.

use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterSettings, DefiniteCanisterSettings, EnvironmentVariable, LogVisibility,
    SnapshotVisibility, StatusVisibility,
};

use super::log::DEFAULT_CAPACITY;

const MAX_CONTROLLERS: usize = 10;
const MAX_LOG: u128 = 2 << 20;
const GIB: u64 = 1 << 30;

/// Settings in effect.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) controllers: Vec<Principal>,
    pub(crate) compute_allocation: u64,
    pub(crate) memory_allocation: u64,
    pub(crate) freezing_threshold: u64,
    pub(crate) reserved_cycles_limit: u128,
    pub(crate) minimum_incoming_canister_call_cycles: u128,
    pub(crate) log_visibility: LogVisibility,
    pub(crate) log_memory_limit: u64,
    pub(crate) snapshot_visibility: SnapshotVisibility,
    pub(crate) status_visibility: StatusVisibility,
    /// 0 for none.
    pub(crate) wasm_memory_limit: u64,
    pub(crate) wasm_memory_threshold: u64,
    /// In ascending order of names.
    pub(crate) environment_variables: Vec<(String, String)>,
}

impl Settings {
    /// What a canister starts with.
    pub(crate) fn of(controller: Principal) -> Self {
        Self {
            controllers: vec![controller],
            compute_allocation: 0,
            memory_allocation: 0,
            freezing_threshold: 2_592_000,
            reserved_cycles_limit: 5_000_000_000_000,
            minimum_incoming_canister_call_cycles: 0,
            log_visibility: LogVisibility::default(),
            log_memory_limit: DEFAULT_CAPACITY,
            snapshot_visibility: SnapshotVisibility::default(),
            status_visibility: StatusVisibility::default(),
            wasm_memory_limit: 3 * GIB,
            wasm_memory_threshold: 0,
            environment_variables: Vec::new(),
        }
    }

    /// These settings with the changes asked for.
    ///
    /// # Errors
    ///
    /// The sentence that names the setting and its bound.
    pub(crate) fn with(mut self, changes: CanisterSettings) -> Result<Self, String> {
        if let Some(mut controllers) = changes.controllers {
            controllers.sort();
            controllers.dedup();
            if controllers.len() > MAX_CONTROLLERS {
                return Err(format!("at most {MAX_CONTROLLERS} controllers are allowed"));
            }
            self.controllers = controllers;
        }
        let number = |name: &str, value: Option<Nat>, max: u128, target: &mut u128| match value {
            None => Ok(()),
            Some(value) => match u128::try_from(value.0.clone()) {
                Ok(value) if value <= max => {
                    *target = value;
                    Ok(())
                }
                _ => Err(format!("{name} must be at most {max}, not {value}")),
            },
        };
        let narrow = |name, value, max: u64, target: &mut u64| {
            let mut wide = u128::from(*target);
            number(name, value, u128::from(max), &mut wide)?;
            *target = wide as u64;
            Ok::<(), String>(())
        };
        narrow(
            "compute_allocation",
            changes.compute_allocation,
            100,
            &mut self.compute_allocation,
        )?;
        narrow(
            "memory_allocation",
            changes.memory_allocation,
            1 << 48,
            &mut self.memory_allocation,
        )?;
        narrow(
            "freezing_threshold",
            changes.freezing_threshold,
            u64::MAX,
            &mut self.freezing_threshold,
        )?;
        number(
            "reserved_cycles_limit",
            changes.reserved_cycles_limit,
            u128::MAX,
            &mut self.reserved_cycles_limit,
        )?;
        number(
            "minimum_incoming_canister_call_cycles",
            changes.minimum_incoming_canister_call_cycles,
            u128::MAX,
            &mut self.minimum_incoming_canister_call_cycles,
        )?;
        narrow(
            "log_memory_limit",
            changes.log_memory_limit,
            MAX_LOG as u64,
            &mut self.log_memory_limit,
        )?;
        narrow(
            "wasm_memory_limit",
            changes.wasm_memory_limit,
            1 << 48,
            &mut self.wasm_memory_limit,
        )?;
        narrow(
            "wasm_memory_threshold",
            changes.wasm_memory_threshold,
            1 << 48,
            &mut self.wasm_memory_threshold,
        )?;
        if let Some(visibility) = changes.log_visibility {
            self.log_visibility = visibility;
        }
        if let Some(visibility) = changes.snapshot_visibility {
            self.snapshot_visibility = visibility;
        }
        if let Some(visibility) = changes.status_visibility {
            self.status_visibility = visibility;
        }
        if let Some(variables) = changes.environment_variables {
            self.environment_variables = variables
                .into_iter()
                .map(|variable| (variable.name, variable.value))
                .collect();
            self.environment_variables.sort();
            if let Some([(name, _), _]) = self
                .environment_variables
                .array_windows()
                .find(|[(one, _), (other, _)]| one == other)
            {
                return Err(format!("the environment variable '{name}' is given twice"));
            }
        }
        Ok(self)
    }

    /// As the management canister shows them.
    pub(crate) fn definite(&self) -> DefiniteCanisterSettings {
        DefiniteCanisterSettings {
            controllers: self.controllers.clone(),
            compute_allocation: self.compute_allocation.into(),
            memory_allocation: self.memory_allocation.into(),
            freezing_threshold: self.freezing_threshold.into(),
            reserved_cycles_limit: self.reserved_cycles_limit.into(),
            minimum_incoming_canister_call_cycles: self
                .minimum_incoming_canister_call_cycles
                .into(),
            log_visibility: self.log_visibility.clone(),
            log_memory_limit: self.log_memory_limit.into(),
            snapshot_visibility: self.snapshot_visibility.clone(),
            status_visibility: self.status_visibility.clone(),
            wasm_memory_limit: self.wasm_memory_limit.into(),
            wasm_memory_threshold: self.wasm_memory_threshold.into(),
            environment_variables: self
                .environment_variables
                .iter()
                .map(|(name, value)| EnvironmentVariable {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_mentioned_stays() {
        let controller = Principal::from_slice(&[1]);
        let before = Settings::of(controller);
        let after = before
            .clone()
            .with(CanisterSettings {
                freezing_threshold: Some(1u8.into()),
                ..CanisterSettings::default()
            })
            .unwrap();
        assert_eq!(after.freezing_threshold, 1);
        let mut expected = before.definite();
        expected.freezing_threshold = 1u8.into();
        assert_eq!(after.definite(), expected);
    }

    #[test]
    fn bounds_are_named() {
        let changes = CanisterSettings {
            compute_allocation: Some(101u8.into()),
            ..CanisterSettings::default()
        };
        let error = Settings::of(Principal::anonymous())
            .with(changes)
            .unwrap_err();
        assert_eq!(error, "compute_allocation must be at most 100, not 101");
    }
}
