//! The subnets of an instance, as the client library describes them.

use std::collections::BTreeMap;

use axum::Json;
use pocket_ic::common::rest::{
    CanisterCyclesCostSchedule, CanisterIdRange, RawCanisterId, SubnetConfig,
    SubnetInstructionConfig, SubnetKind as RawKind, Topology,
};

use crate::{Network, SubnetKind};

use super::instances::{Instance, On};
use super::refusal::Refusal;

/// `GET read/topology` and `GET _/topology`
pub(super) async fn get(On(instance): On) -> Result<Json<Topology>, Refusal> {
    describe(&instance).await.map(Json)
}

pub(super) async fn describe(instance: &Instance) -> Result<Topology, Refusal> {
    let instructions = instance.instructions.clone();
    instance
        .with(move |network| topology(network, instructions))
        .await
}

fn topology(network: &Network, instructions: Vec<SubnetInstructionConfig>) -> Topology {
    // The engine keeps the subnets in the order the instance asked for them.
    let subnets = network.subnets().iter().zip(instructions);
    let subnet_configs: BTreeMap<_, _> = subnets
        .map(|(subnet, instruction_config)| {
            let ranges = subnet.canister_ranges.iter();
            let config = SubnetConfig {
                subnet_kind: raw_kind(subnet.kind),
                subnet_admins: None,
                cost_schedule: CanisterCyclesCostSchedule::Normal,
                subnet_seed: subnet.seed,
                instruction_config,
                canister_ranges: ranges
                    .map(|&(start, end)| CanisterIdRange {
                        start: RawCanisterId::from(start),
                        end: RawCanisterId::from(end),
                    })
                    .collect(),
            };
            (subnet.id, config)
        })
        .collect();
    Topology {
        subnet_configs,
        default_effective_canister_id: network.default_effective_canister_id().into(),
    }
}

fn raw_kind(kind: SubnetKind) -> RawKind {
    match kind {
        SubnetKind::Application => RawKind::Application,
        SubnetKind::Bitcoin => RawKind::Bitcoin,
        SubnetKind::Fiduciary => RawKind::Fiduciary,
        SubnetKind::Ii => RawKind::II,
        SubnetKind::Nns => RawKind::NNS,
        SubnetKind::Sns => RawKind::SNS,
        SubnetKind::System => RawKind::System,
        SubnetKind::VerifiedApplication => RawKind::VerifiedApplication,
    }
}
