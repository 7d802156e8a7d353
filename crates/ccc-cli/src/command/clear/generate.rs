//! `ccc clear generate`: a book of orders and a request for it.

use super::{Context, check_targets};
use crate::{
    clearing::generate::Generated,
    cli::GenerateArgs,
    error::Error,
    files::{self, Audience, Replace},
    ui::Answer,
};
use ccc_core::suite;
use clap::ValueEnum;

pub(super) fn run(arguments: &GenerateArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    check_targets(std::iter::once(&arguments.out).chain(&arguments.request), &[], replace)?;
    let bar = ctx.ui.working("drawing orders");
    let book = Generated::new(arguments.orders, arguments.seed, arguments.shape);
    let book = if arguments.lists { book.with_lists(arguments.seed) } else { book };
    let csv = book.csv();
    bar.finish_and_clear();
    files::write(&arguments.out, &csv, Audience::Everyone, replace)?;
    if let Some(request) = &arguments.request {
        files::write(request, &book.request(), Audience::Everyone, replace)?;
    }
    if !std::iter::once(&arguments.out).chain(&arguments.request).any(|path| files::is_stream(path)) {
        report(arguments, &book, &csv, ctx);
    }
    Ok(Answer::Done)
}

fn report(arguments: &GenerateArgs, book: &Generated, csv: &[u8], ctx: &Context<'_>) {
    let contents = book.contents();
    let shape = arguments.shape.to_possible_value();
    let shape = shape.as_ref().map_or("", |value| value.get_name());
    let digest = hex::encode(suite::digest(csv));
    let percent = contents.largest.saturating_mul(100) / contents.depth.max(1);
    let lines = [
        format!("{} orders of {} makers ({shape}): {}", contents.orders, contents.makers, arguments.out.display()),
        format!("depth {} base units, the largest order {percent} % of it", contents.depth),
        format!("digest {digest}"),
    ];
    let request = arguments.request.as_ref();
    let asked = request.map(|path| format!("a request for {} base units: {}", contents.request, path.display()));
    let object = serde_json::json!({
        "orders": contents.orders, "makers": contents.makers, "shape": shape, "seed": arguments.seed,
        "depth": contents.depth, "largest": contents.largest, "bytes": csv.len(), "digest": digest,
        "out": arguments.out, "request": request, "request_size": request.map(|_| contents.request),
    });
    ctx.ui.result(&lines.into_iter().chain(asked).collect::<Vec<_>>(), &object);
}
