//! The actions of attackers, as a list of steps that can be written down, changed and played again.

use std::{fmt, str::FromStr};

use fastrand::Rng;

use crate::cases::CONNECTIONS;

/// The most steps that a program has.
const STEPS_MAX: usize = 12;

/// The most numbers that a step has.
const NUMBERS: usize = 3;

/// The steps that are done, in order, and again from the beginning until the time is over.
#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) Vec<Step>);

/// One thing that is done, with one line or with all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) verb: Verb,
    pub(crate) line: Option<usize>,
    pub(crate) numbers: [u64; NUMBERS],
}

/// The action of a step. Lines that are not open are opened by whatever is said over them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verb {
    /// `o`: call.
    Open,
    /// `h`: say hello in a protocol, as a piece of a name so many times; with the line's number
    /// behind it if that is 100 more.
    Hello,
    /// `t`: a text of so many bytes, of some content, so many times.
    Text,
    /// `b`: a payload that means nothing, so many times.
    Bad,
    /// `p`: ping, so many times.
    Ping,
    /// `g`: ask for history before a number, so many messages, so many times.
    History,
    /// `w`: bytes that are no frame, so many times.
    Raw,
    /// `s`: a bad payload, each byte in a segment of its own, so many times.
    Split,
    /// `f`: close the writing side.
    Shut,
    /// `x`: reset.
    Reset,
    /// `c`: close.
    Close,
    /// `m`: read no more.
    Mute,
    /// `l`: read again.
    Listen,
    /// `z`: wait so many milliseconds.
    Wait,
}

/// The numbers that a verb may have: none if its list is empty, else one of these.
type Choices = [&'static [u64]; NUMBERS];

const COUNTS: &[u64] = &[1, 2, 15, 16, 17, 100, 1_000];
const SEQUENCES: &[u64] =
    &[0, 1, 2, 100, 1 << 32, 1 << 50, (1 << 53) - 1, i64::MAX as u64, u64::MAX];
const KINDS: &[u64] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// The first step of every other program: all join in protocol 2, under names of their own.
const JOIN: Step = Step { verb: Verb::Hello, line: None, numbers: [2, 0, 101] };

/// The number of verbs that say something; they come three times as often.
const SAID: usize = 7;

/// The verbs, those that say something first.
const VERBS: [(Verb, char, Choices); 14] = [
    (Verb::Hello, 'h', [&[1, 2], KINDS, &[1, 5, 16, 27, 31, 32, 33, 101, 110, 116, 127]]),
    (Verb::Text, 't', [&[0, 1, 100, 1_000, 10_000, 60_000], KINDS, COUNTS]),
    (Verb::Bad, 'b', [KINDS, COUNTS, &[]]),
    (Verb::Ping, 'p', [COUNTS, &[], &[]]),
    (Verb::History, 'g', [SEQUENCES, &[0, 1, 2, 500, 501, u64::MAX], COUNTS]),
    (Verb::Raw, 'w', [KINDS, COUNTS, &[]]),
    (Verb::Split, 's', [KINDS, COUNTS, &[]]),
    (Verb::Open, 'o', [&[], &[], &[]]),
    (Verb::Shut, 'f', [&[], &[], &[]]),
    (Verb::Reset, 'x', [&[], &[], &[]]),
    (Verb::Close, 'c', [&[], &[], &[]]),
    (Verb::Mute, 'm', [&[], &[], &[]]),
    (Verb::Listen, 'l', [&[], &[], &[]]),
    (Verb::Wait, 'z', [&[1, 5, 20, 50], &[], &[]]),
];

impl Program {
    /// Makes one up.
    pub(crate) fn new(random: &mut Rng) -> Self {
        let mut steps = Vec::from_iter(random.bool().then_some(JOIN));
        steps.extend((0..random.usize(1..=STEPS_MAX / 2)).map(|_| Step::new(random)));
        Self(steps)
    }

    /// Changes it in one place or two.
    pub(crate) fn change(&mut self, random: &mut Rng) {
        for _ in 0..random.usize(1..=2) {
            let place = random.usize(..self.0.len());
            match random.u8(..5) {
                0 if 1 < self.0.len() => drop(self.0.remove(place)),
                1 if self.0.len() < STEPS_MAX => self.0.insert(place, Step::new(random)),
                2 => self.0[place] = Step::new(random),
                3 => self.0[place].line = line(random),
                _ => {
                    let step = &mut self.0[place];
                    step.numbers = numbers(step.verb, random);
                }
            }
        }
    }
}

impl Step {
    fn new(random: &mut Rng) -> Self {
        let n_verbs = if random.bool() { SAID } else { VERBS.len() };
        let verb = VERBS[random.usize(..n_verbs)].0;
        Self { verb, line: line(random), numbers: numbers(verb, random) }
    }
}

/// Chooses all lines, or one of a few.
fn line(random: &mut Rng) -> Option<usize> {
    random.bool().then(|| random.usize(..CONNECTIONS) % [2, CONNECTIONS][random.usize(..2)])
}

fn numbers(verb: Verb, random: &mut Rng) -> [u64; NUMBERS] {
    let choices = entry(verb).2;
    choices.map(|choices| random.choice(choices).copied().unwrap_or_default())
}

fn entry(verb: Verb) -> (Verb, char, Choices) {
    let place = VERBS.iter().position(|(other, ..)| *other == verb);
    VERBS[place.unwrap_or_default()]
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            if 0 < place {
                formatter.write_str(" ")?;
            }
            let (_, letter, choices) = entry(step.verb);
            match step.line {
                Some(line) => write!(formatter, "{letter}{line}")?,
                None => write!(formatter, "{letter}*")?,
            }
            for (number, _) in step.numbers.iter().zip(choices).filter(|(_, all)| !all.is_empty()) {
                write!(formatter, ",{number}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let steps = text.split_whitespace().map(|step| {
            parse_step(step).ok_or_else(|| format!("{step:?} should be such as h3,2,0,27 or o*"))
        });
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        if steps.is_empty() {
            return Err("a program has at least one step".to_owned());
        }
        Ok(Self(steps))
    }
}

fn parse_step(step: &str) -> Option<Step> {
    let letter = step.chars().next()?;
    let (verb, ..) = VERBS.into_iter().find(|(_, other, _)| *other == letter)?;
    let mut parts = step[letter.len_utf8()..].split(',');
    let line = match parts.next()? {
        "*" => None,
        line => Some(line.parse().ok().filter(|line| *line < CONNECTIONS)?),
    };
    let mut numbers = [0; NUMBERS];
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().ok()?;
    }
    Some(Step { verb, line, numbers })
}
