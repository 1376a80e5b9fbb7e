//! Limits on what may wait to be committed.

use ic_cdk::update;
use ic_hallmark::{
    api::{ConfigurationResponse, ConfigureArguments, ValidationResult},
    canister::{change, may_commit, may_prepare, read},
};

#[update(guard = "may_prepare")]
fn get_configuration() -> ConfigurationResponse {
    read(|site| site.limits()).into()
}

#[update(guard = "may_commit")]
fn configure(arguments: ConfigureArguments) {
    change(|site, by| site.set_limits(arguments.apply_to(site.limits()), by));
}

#[update]
fn validate_configure(arguments: ConfigureArguments) -> ValidationResult {
    arguments.validate()
}
