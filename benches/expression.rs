//! What one expression costs over a real provenance, on one core. `cargo bench --bench expression`.

#![expect(clippy::unwrap_used, reason = "a benchmark tells what is wrong by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use seaworthy::controls::{Bindings, Outcome, evaluate};
use seaworthy::documents::{ControlParameters, Expression, Variable};

fn expression(criterion: &mut Criterion) {
    let path = format!("{}/fixtures/corpus/expression/provenance.txt", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read_to_string(path).unwrap();
    let (text, json) = file.split_once('\n').unwrap();
    let compiled = Expression::compile(text).unwrap();
    let predicate: serde_json::Value = serde_json::from_str(json).unwrap();
    let parameters = ControlParameters::new();
    let bindings = Bindings::new("2024-06-01T00:00:00Z".parse().unwrap(), &parameters).with(Variable::Predicate, &predicate);
    assert_eq!(evaluate(&compiled, &bindings), Outcome::True);
    criterion.bench_function("expression: read", |bencher| bencher.iter(|| Expression::compile(std::hint::black_box(text)).unwrap()));
    criterion.bench_function("expression: a predicate read", |bencher| {
        bencher.iter(|| serde_json::from_str::<serde_json::Value>(std::hint::black_box(json)).unwrap());
    });
    criterion.bench_function("expression: evaluated over a provenance", |bencher| {
        bencher.iter(|| evaluate(&compiled, std::hint::black_box(&bindings)));
    });
    let fields =
        Expression::compile("predicate.builder.id.startsWith('https://github.com/') && predicate.invocation.configSource.entryPoint != ''")
            .unwrap();
    criterion.bench_function("expression: two fields of it", |bencher| {
        bencher.iter(|| evaluate(&fields, std::hint::black_box(&bindings)));
    });
}

criterion_group!(benches, expression);
criterion_main!(benches);
