//! The projector's settings.

/// Keeps DVT+'s views in step with its log.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Config {
    #[command(flatten)]
    pub store: dvt_store::Config,
    #[command(flatten)]
    pub bus: dvt_bus::Config,
    #[command(flatten)]
    pub runtime: dvt_runtime::Config,
}
