//! `ccc custodian`: a simulated custodian that serves one statement on loopback.

use super::{Context, recover::token};
use crate::{cli::CustodianArgs, error::Error, files, ui::Answer};
use ccc_enclave::statement::{MAX_LEN, Statement};
use ccc_node::custodian::SimulatedCustodian;

pub(super) fn run(arguments: &CustodianArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let statement = files::read(&arguments.statement, MAX_LEN as u64)?;
    Statement::parse(&statement).map_err(|source| Error::Statement { path: arguments.statement.clone(), source })?;
    let token = token(&arguments.token_file)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        let address = ([127, 0, 0, 1], arguments.port).into();
        let custodian = SimulatedCustodian::serve(address, &token, statement).await?;
        ctx.ui.note("simulated: this server signs nothing and proves nothing; stop it with Ctrl-C");
        ctx.ui.result(&[custodian.url()], &serde_json::json!({ "url": custodian.url() }));
        custodian.wait().await;
        Ok(Answer::Done)
    })
}
