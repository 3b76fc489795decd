//! A search for worse ways: programs are made up at random, and the worst are changed again and again.

mod actors;
mod program;

use std::{
    env,
    time::{Duration, Instant},
};

use fastrand::Rng;

use self::{actors::Actors, program::Program};
use super::{
    Outcome,
    field::{Field, OTHER},
    figures::{Figures, headings},
    stage::Stage,
    words::{self, Protocol},
};

/// The time for which a program is played, and that for which its server is watched before.
const PLAY: Duration = Duration::from_millis(200);
const CALM: Duration = Duration::from_millis(30);

/// The number of people in the room besides, and the number of texts that each has said before.
const LISTENERS: u8 = 16;
const TEXTS: usize = 10;

type Measure = fn(&Figures) -> f64;

/// The worst program of one kind, and how bad it was.
type Worst = Option<(f64, Program)>;

/// The measures by which a program can be bad.
const MEASURES: [(&str, Measure); 4] = [
    ("CPU a MB", |figures| figures.cpu_per_megabyte().as_secs_f64()),
    ("bytes to itself", |figures| figures.out_per_byte()[0]),
    ("bytes to others", |figures| figures.out_per_byte()[1]),
    ("waiting", |figures| figures.wait.as_secs_f64()),
];

/// Searches for so long and prints the worst of each kind, played once more. Returns how many aims
/// they miss.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn search(time: Duration) -> Outcome<usize> {
    let seed = env::var("SEED").ok().map(|seed| seed.parse()).transpose()?;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = Rng::with_seed(seed);
    let begin = Instant::now();
    let mut worst: [Worst; MEASURES.len()] = Default::default();
    let mut n_played = 0;
    println!("\nsearching for {} s, SEED={seed}", time.as_secs());
    while begin.elapsed() < time {
        let parent = worst[random.usize(..MEASURES.len())].as_ref().filter(|_| random.bool());
        let program = match parent {
            Some((_, program)) => {
                let mut program = program.clone();
                program.change(&mut random);
                program
            }
            None => Program::new(&mut random),
        };
        let figures = play(&program).map_err(|error| format!("{program}: {error}"))?;
        n_played += 1;
        if figures.has_died {
            println!("the server ended: REPLAY='{program}'");
            return Ok(figures.n_missed());
        }
        let is_worse = |worst: &Worst, measured: f64| {
            worst.as_ref().is_none_or(|(before, _)| *before < measured)
        };
        if worst
            .iter()
            .zip(MEASURES)
            .all(|(worst, (_, measure))| !is_worse(worst, measure(&figures)))
        {
            continue;
        }
        // What happened to run beside it may have made it look bad: twice is no chance.
        let again = play(&program)?;
        for (worst, (_, measure)) in worst.iter_mut().zip(MEASURES) {
            let measured = measure(&figures).min(measure(&again));
            if is_worse(worst, measured) {
                *worst = Some((measured, program.clone()));
            }
        }
    }
    println!("{n_played} programs; the worst, each played once more:\n{}", headings());
    let mut n_missed = 0;
    for ((name, _), (_, program)) in MEASURES.iter().zip(worst.into_iter().flatten()) {
        let figures = play(&program)?;
        n_missed += figures.n_missed();
        println!("{name:30} {figures}\n    REPLAY='{program}'");
    }
    Ok(n_missed)
}

/// Plays a program that was printed.
pub(crate) fn replay(program: &str) -> Outcome<Figures> {
    play(&program.parse()?)
}

fn play(program: &Program) -> Outcome<Figures> {
    Stage::set(&[])?.play(|stage| {
        furnish(&mut stage.field)?;
        let end = stage.attack_after(CALM, PLAY)?;
        Actors::new(stage).play(program, end)
    })
}

/// Lets listeners join, and say something that can be asked for.
fn furnish(field: &mut Field) -> Outcome<()> {
    let content = "x".repeat(1_000);
    for number in 0..LISTENERS {
        let [first, second, third, _] = OTHER.octets();
        let line = field.open([first, second, third, 10 + number].into())?;
        field.say(line, &words::hello(&format!("listener {number}"), Protocol::V2));
        for text in 0..TEXTS {
            field.say(line, &words::text(&content, text));
        }
    }
    Ok(())
}
