//! New instances: what a test may ask for, and what is refused.

use std::sync::Arc;

use axum::Json;
use axum::extract;
use axum::http::StatusCode;
use pocket_ic::common::rest::{
    AutoProgressConfig, CanisterCyclesCostSchedule, CreateInstanceResponse, HttpGatewayBackend,
    HttpGatewayConfig, HttpGatewayInfo, IcpFeatures, InitialTime, InstanceConfig,
    InstanceHttpGatewayConfig, SubnetInstructionConfig, SubnetSpec,
};

use crate::{Config, Network, SubnetKind};

use super::State;
use super::instances::Instance;
use super::json::Body;
use super::refusal::Refusal;
use super::{gateways, progress, topology};

/// `POST /instances`
pub(super) async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Body(config): Body<InstanceConfig>,
) -> (StatusCode, Json<CreateInstanceResponse>) {
    match try_create(&state, config).await {
        Ok(created) => (StatusCode::CREATED, Json(created)),
        Err(refusal) => {
            let message = refusal.to_string();
            (
                StatusCode::BAD_REQUEST,
                Json(CreateInstanceResponse::Error { message }),
            )
        }
    }
}

async fn try_create(
    state: &Arc<State>,
    config: InstanceConfig,
) -> Result<CreateInstanceResponse, Refusal> {
    let order = Order::read(config)?;
    let (subnets, instructions): (Vec<_>, Vec<_>) = order.subnets.into_iter().unzip();
    let network = Network::new(Config {
        subnets,
        initial_time: order.initial_time,
        unlimited_instructions: instructions.contains(&SubnetInstructionConfig::Benchmarking),
        ..Config::default()
    })
    .map_err(|error| Refusal::Impossible(error.to_string()))?;

    let instance = state.instances.add(network, instructions);
    let created = finish(state, &instance, order.progress, order.gateway).await;
    if created.is_err() {
        state.instances.remove(instance.id);
    }
    created
}

/// What is done to an instance once it exists.
async fn finish(
    state: &Arc<State>,
    instance: &Arc<Instance>,
    progress: Option<AutoProgressConfig>,
    gateway: Option<InstanceHttpGatewayConfig>,
) -> Result<CreateInstanceResponse, Refusal> {
    if let Some(config) = &progress {
        progress::start(instance, config).await?;
    }
    let http_gateway_info = match gateway {
        None => None,
        Some(config) => Some(open_gateway(state, instance.id, config).await?),
    };
    Ok(CreateInstanceResponse::Created {
        instance_id: instance.id,
        topology: topology::describe(instance).await?,
        http_gateway_info,
    })
}

async fn open_gateway(
    state: &Arc<State>,
    instance: usize,
    config: InstanceHttpGatewayConfig,
) -> Result<HttpGatewayInfo, Refusal> {
    let config = HttpGatewayConfig {
        ip_addr: config.ip_addr,
        port: config.port,
        forward_to: HttpGatewayBackend::PocketIcInstance(instance),
        domains: config.domains,
        https_config: config.https_config,
        domain_custom_provider_local_file: config.domain_custom_provider_local_file,
    };
    gateways::open(state, config).await
}

/// What of an [`InstanceConfig`] there is to do.
struct Order {
    subnets: Vec<(SubnetKind, SubnetInstructionConfig)>,
    initial_time: Option<u64>,
    progress: Option<AutoProgressConfig>,
    gateway: Option<InstanceHttpGatewayConfig>,
}

impl Order {
    /// Refuses what is not supported. Settings that only relax what the
    /// genuine server enforces (rate limits, ingress validation) and its log
    /// level are passed over.
    fn read(config: InstanceConfig) -> Result<Order, Refusal> {
        let set = config.subnet_config_set;
        set.validate()
            .map_err(|why| Refusal::Impossible(format!("Bad config: {why}")))?;
        let unsupported = [
            (config.state_dir.is_some(), "state_dir"),
            (config.bitcoind_addr.is_some(), "bitcoind_addr"),
            (config.dogecoind_addr.is_some(), "dogecoind_addr"),
            (
                config.mainnet_nns_subnet_id == Some(true),
                "mainnet_nns_subnet_id",
            ),
            (
                config
                    .icp_features
                    .is_some_and(|features| features != IcpFeatures::default()),
                "icp_features",
            ),
            (!set.cloud_engine.is_empty(), "a CloudEngine subnet"),
            (
                set.test_threshold_keys.is_some(),
                "a TestThresholdKeys subnet",
            ),
        ];
        if let Some((_, what)) = unsupported.iter().find(|(wanted, _)| *wanted) {
            return Err(Refusal::NotSupported((*what).to_owned()));
        }

        let named = [
            (SubnetKind::Nns, &set.nns),
            (SubnetKind::Sns, &set.sns),
            (SubnetKind::Ii, &set.ii),
            (SubnetKind::Fiduciary, &set.fiduciary),
            (SubnetKind::Bitcoin, &set.bitcoin),
        ];
        let unnamed = [
            (SubnetKind::System, &set.system),
            (SubnetKind::Application, &set.application),
            (SubnetKind::VerifiedApplication, &set.verified_application),
        ];
        let named = named
            .iter()
            .flat_map(|(kind, spec)| spec.iter().map(|spec| (*kind, spec)));
        let unnamed = unnamed
            .iter()
            .flat_map(|(kind, specs)| specs.iter().map(|spec| (*kind, spec)));
        let subnets = named
            .chain(unnamed)
            .map(|(kind, spec)| Ok((kind, instructions(spec)?)))
            .collect::<Result<_, Refusal>>()?;

        let (initial_time, progress) = match config.initial_time {
            None => (None, None),
            Some(InitialTime::Timestamp(time)) => (Some(time.nanos_since_epoch), None),
            Some(InitialTime::AutoProgress(config)) => (None, Some(config)),
        };
        Ok(Order {
            subnets,
            initial_time,
            progress,
            gateway: config.http_gateway_config,
        })
    }
}

fn instructions(spec: &SubnetSpec) -> Result<SubnetInstructionConfig, Refusal> {
    if spec.get_state_path().is_some() || !spec.is_supported() {
        return Err(Refusal::NotSupported(
            "a subnet with a given state".to_owned(),
        ));
    }
    if spec.get_subnet_admins().is_some() {
        return Err(Refusal::NotSupported("subnet admins".to_owned()));
    }
    if spec.get_cost_schedule() != CanisterCyclesCostSchedule::Normal {
        return Err(Refusal::NotSupported("a free cost schedule".to_owned()));
    }
    Ok(spec.get_instruction_config())
}
