//! Reads a text character by character and names what of it costs tokens: words by script and
//! length, groups of digits, runs of punctuation and of white space. What they cost is in `weights`.

use super::weights::Event;

/// Words of Latin script that count as a language with accents after an accented letter: such
/// languages show one in every few words, and their words cost more than English ones.
const ACCENT_REACH: u8 = 24;

/// What was read of a text: all that decides what the next character costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    last: Last,
    /// Characters of the run that `last` belongs to, itself included.
    run: u8,
    /// Words for which an accented letter still tells the language.
    accented: u8,
}

/// The character before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Space,
    Newline,
    Lower,
    Upper,
    Digit,
    Mark(char),
    Script(Script),
}

/// Letters of a script other than Latin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Cyrillic,
    Greek,
    Arabic,
    Hebrew,
    Devanagari,
    Thai,
    Han,
    Kana,
    Hangul,
    Other,
}

/// What a character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Space,
    Newline,
    Lower,
    Upper,
    Accented,
    Digit,
    Punctuation,
    /// Dashes, curly quotes and other punctuation outside ASCII.
    WidePunctuation,
    /// Punctuation of Chinese, Japanese and Korean.
    EastPunctuation,
    Symbol,
    Emoji,
    /// Joiners, variation selectors and skin tones: parts of an emoji.
    EmojiPart,
    Script(Script),
}

impl Shape {
    /// Reads the next character and calls `emit` for each thing that it costs.
    pub(super) fn next(&mut self, c: char, mut emit: impl FnMut(Event)) {
        match class(c) {
            Class::Space => self.space(emit),
            Class::Newline => self.newline(emit),
            Class::Lower => self.latin(Last::Lower, emit),
            Class::Upper => self.latin(Last::Upper, emit),
            Class::Accented => {
                self.accented = ACCENT_REACH;
                emit(accent(c));
                self.latin(Last::Lower, emit);
            }
            Class::Digit => self.digit(emit),
            Class::Punctuation => self.punctuation(c, emit),
            Class::WidePunctuation => self.mark(c, Event::WidePunctuation, emit),
            Class::EastPunctuation => self.mark(c, Event::EastPunctuation, emit),
            Class::Symbol => self.mark(c, Event::Symbol, emit),
            Class::Emoji => self.mark(c, Event::Emoji, emit),
            Class::EmojiPart => self.mark(c, Event::EmojiPart, emit),
            Class::Script(script) => self.script(c, script, emit),
        }
    }

    fn go_on(&mut self, last: Last, goes_on: bool) {
        self.run = if goes_on {
            self.run.saturating_add(1)
        } else {
            1
        };
        self.last = last;
    }

    /// One space is part of the word after it; a longer run is a token of its own.
    fn space(&mut self, mut emit: impl FnMut(Event)) {
        self.go_on(Last::Space, self.last == Last::Space);
        match self.run {
            1 => {}
            2 => emit(Event::SecondSpace),
            _ => emit(Event::FurtherSpace),
        }
    }

    fn newline(&mut self, mut emit: impl FnMut(Event)) {
        emit(match self.last {
            Last::Newline => Event::FurtherNewline,
            Last::Mark(_) => Event::NewlineAfterMark,
            Last::Nothing
            | Last::Space
            | Last::Lower
            | Last::Upper
            | Last::Digit
            | Last::Script(_) => Event::Newline,
        });
        self.go_on(Last::Newline, self.last == Last::Newline);
    }

    fn latin(&mut self, letter: Last, mut emit: impl FnMut(Event)) {
        let goes_on = match self.last {
            Last::Upper => true,
            Last::Lower => letter == Last::Lower,
            Last::Nothing
            | Last::Space
            | Last::Newline
            | Last::Digit
            | Last::Mark(_)
            | Last::Script(_) => false,
        };
        let (before, length) = (self.last, self.run);
        self.go_on(letter, goes_on);
        if !goes_on {
            emit(match before {
                Last::Space | Last::Nothing => Event::SpacedWord,
                Last::Mark('\'' | '\u{2019}') => Event::WordAfterApostrophe,
                Last::Lower if length > 2 => Event::CamelWord,
                Last::Lower => Event::ScrambledWord,
                Last::Newline | Last::Upper | Last::Digit | Last::Mark(_) | Last::Script(_) => {
                    Event::GluedWord
                }
            });
            if self.accented > 0 {
                emit(Event::AccentedWord);
            }
            self.accented = self.accented.saturating_sub(1);
        } else if letter == Last::Upper {
            emit(Event::Capital);
        } else {
            let accented = self.accented > 0;
            emit(match (self.run, accented) {
                (0..=4, false) => Event::Letter,
                (5..=8, false) => Event::FarLetter,
                (9.., false) => Event::FurthestLetter,
                (0..=4, true) => Event::AccentedLetter,
                (5..=8, true) => Event::AccentedFarLetter,
                (9.., true) => Event::AccentedFurthestLetter,
            });
        }
    }

    /// Most tokenizers cut digits into groups of three, some into single ones.
    fn digit(&mut self, mut emit: impl FnMut(Event)) {
        if self.last == Last::Space {
            emit(Event::SpacedNumber);
        }
        let goes_on = self.last == Last::Digit && self.run < 3;
        self.go_on(Last::Digit, goes_on);
        emit(if goes_on {
            Event::Digit
        } else {
            Event::DigitGroup
        });
    }

    fn punctuation(&mut self, c: char, emit: impl FnMut(Event)) {
        let event = match self.last {
            Last::Mark(last) if last == c => Event::RepeatedPunctuation,
            Last::Mark(_) if self.run == 1 => Event::SecondPunctuation,
            Last::Mark(_) => Event::FurtherPunctuation,
            Last::Space => Event::SpacedPunctuation,
            Last::Nothing
            | Last::Newline
            | Last::Lower
            | Last::Upper
            | Last::Digit
            | Last::Script(_) => Event::Punctuation,
        };
        self.mark(c, event, emit);
    }

    fn mark(&mut self, c: char, event: Event, mut emit: impl FnMut(Event)) {
        emit(event);
        self.go_on(Last::Mark(c), matches!(self.last, Last::Mark(_)));
    }

    fn script(&mut self, c: char, script: Script, mut emit: impl FnMut(Event)) {
        let goes_on = self.last == Last::Script(script);
        self.go_on(Last::Script(script), goes_on);
        let (word, letter) = match script {
            Script::Cyrillic => (Some(Event::CyrillicWord), Event::Cyrillic),
            Script::Greek => (Some(Event::GreekWord), Event::Greek),
            Script::Arabic => (Some(Event::ArabicWord), Event::Arabic),
            Script::Hebrew => (Some(Event::HebrewWord), Event::Hebrew),
            Script::Devanagari => (Some(Event::DevanagariWord), Event::Devanagari),
            Script::Hangul => (Some(Event::HangulWord), Event::Hangul),
            Script::Thai => (None, Event::Thai),
            Script::Han => (None, Event::Han),
            Script::Kana => (None, Event::Kana),
            Script::Other => return (0..c.len_utf8()).for_each(|_| emit(Event::OtherByte)),
        };
        emit(letter);
        if script == Script::Cyrillic && !matches!(c, 'А'..='я' | 'Ё' | 'ё') {
            emit(Event::RareCyrillic);
        }
        if let Some(word) = word.filter(|_| !goes_on) {
            emit(word);
        }
    }
}

fn class(c: char) -> Class {
    match c {
        'a'..='z' => Class::Lower,
        'A'..='Z' => Class::Upper,
        '0'..='9' => Class::Digit,
        ' ' | '\t' | '\u{a0}' | '\u{3000}' => Class::Space,
        '\n' | '\r' => Class::Newline,
        '\0'..='\u{7f}' => Class::Punctuation,
        '\u{80}'..='\u{bf}' | '×' | '÷' => Class::WidePunctuation,
        '\u{c0}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' => Class::Accented,
        '\u{200d}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => {
            Class::EmojiPart
        }
        '\u{2000}'..='\u{206f}' => Class::WidePunctuation,
        '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}' => Class::Emoji,
        '\u{2070}'..='\u{2bff}' => Class::Symbol,
        '\u{3001}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}' => Class::EastPunctuation,
        _ => Class::Script(script(c)),
    }
}

/// What an accented letter tells of the words around it, besides that it is one.
const fn accent(c: char) -> Event {
    match c {
        'ä' | 'ö' | 'ü' | 'ß' | 'Ä' | 'Ö' | 'Ü' => Event::Umlaut,
        '\u{c0}'..='\u{ff}' | 'œ' | 'Œ' => Event::Accent,
        _ => Event::RareAccent,
    }
}

/// The blocks of the scripts that are counted by themselves, from Unicode's `Blocks.txt`.
fn script(c: char) -> Script {
    match c {
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        '\u{590}'..='\u{5ff}' | '\u{fb1d}'..='\u{fb4f}' => Script::Hebrew,
        '\u{600}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{8a0}'..='\u{8ff}'
        | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefe}' => Script::Arabic,
        '\u{900}'..='\u{97f}' => Script::Devanagari,
        '\u{e00}'..='\u{e7f}' => Script::Thai,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' => {
            Script::Hangul
        }
        '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => Script::Kana,
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
            Script::Han
        }
        _ => Script::Other,
    }
}
