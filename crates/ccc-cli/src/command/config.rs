//! `ccc config`: each setting and where it comes from.

use super::Context;
use crate::{
    cli::{Config, SettingsArgs},
    error::Error,
    network::{KeySource, Setting, Settings, Source, shown},
    ui::Answer,
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A setting as it is shown.
struct Row {
    name: &'static str,
    variable: &'static str,
    value: Option<String>,
    source: Option<Source>,
}

pub(super) fn run(verb: &Config, ctx: &Context<'_>) -> Result<Answer, Error> {
    match verb {
        Config::Show(arguments) => show(arguments, ctx),
    }
}

fn show(arguments: &SettingsArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let settings = Settings::read(arguments)?;
    let rows = rows(&settings, ctx);
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    let object = rows.iter().map(|row| (row.name.to_owned(), row.object())).collect();
    ctx.ui.result(&lines, &Value::Object(object));
    Ok(Answer::Done)
}

fn rows(settings: &Settings, ctx: &Context<'_>) -> Vec<Row> {
    let path = |name, variable, setting: Option<Setting<PathBuf>>| {
        row(name, variable, setting.map(|s| Setting { value: s.value.display().to_string(), source: s.source }))
    };
    let key = |wanted: fn(&KeySource) -> Option<&PathBuf>| {
        let setting = settings.key.as_ref()?;
        Some(Setting { value: wanted(&setting.value)?.clone(), source: setting.source })
    };
    let plain = key(|key| if let KeySource::PrivateKeyFile(path) = key { Some(path) } else { None });
    let keystore = key(|key| if let KeySource::Keystore(path) = key { Some(path) } else { None });
    let url = Setting { value: shown(&settings.rpc_url.value), source: settings.rpc_url.source };
    let chain_id = settings.chain_id.as_ref().map(|s| Setting { value: s.value.to_string(), source: s.source });
    let passphrase = ctx.passphrases.file().map(|(path, flag)| Setting {
        value: path.clone(),
        source: if flag { Source::Flag } else { Source::Environment },
    });
    vec![
        path("config", "CCC_CONFIG", settings.file.clone().filter(|_| settings.file_found)),
        row("rpc_url", "CCC_RPC_URL", Some(url)),
        path("rpc_ca", "CCC_RPC_CA", settings.rpc_ca.clone()),
        row("chain_id", "CCC_CHAIN_ID", chain_id),
        path("deployment", "CCC_DEPLOYMENT", settings.deployment.clone()),
        path("committee", "CCC_COMMITTEE", settings.committee.clone()),
        path("account_key", "CCC_ACCOUNT_KEY", settings.account_key.clone()),
        path("private_key_file", "CCC_PRIVATE_KEY_FILE", plain),
        path("keystore", "CCC_KEYSTORE", keystore),
        path("passphrase_file", "CCC_PASSPHRASE_FILE", passphrase),
    ]
}

fn row(name: &'static str, variable: &'static str, setting: Option<Setting<String>>) -> Row {
    let source = setting.as_ref().map(|setting| setting.source);
    Row { name, variable, value: setting.map(|setting| setting.value), source }
}

impl Row {
    fn line(&self) -> String {
        let value = self.value.as_deref().unwrap_or("not set");
        let source = self.source.map_or(self.variable, Source::word);
        format!("{:17} {value}   ({source})", self.name)
    }

    fn object(&self) -> Value {
        json!({ "value": self.value, "source": self.source.map(Source::word), "variable": self.variable })
    }
}
