//! Times of every job with every set of instructions that this machine has.

use std::hint::black_box;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use jobs::Data;
use jobs::Job;
use lawfit::Level;

fn every_job(criterion: &mut Criterion) {
    for job in Job::ALL {
        let data = Data::of(job);
        let mut group = criterion.benchmark_group(job.name());
        group.sample_size(20);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            group.bench_function(level.name(), |bencher| {
                bencher.iter(|| jobs::run(black_box(job), &data, level));
            });
        }
        group.finish();
    }
}

criterion_group!(times, every_job);
criterion_main!(times);
