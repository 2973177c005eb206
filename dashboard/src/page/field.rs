//! One thing to fill in: its label, its control, a hint and what was wrong with it, wired so that a
//! screen reader tells them together.

use maud::{Markup, Render, html};

/// One of several values to choose from.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// What is sent.
    pub value: &'a str,
    /// What is shown.
    pub label: &'a str,
    /// Whether it is chosen.
    pub chosen: bool,
}

#[derive(Clone, Debug)]
enum Control<'a> {
    Input(&'static str),
    TextArea(u8),
    Select(&'a [Choice<'a>]),
    Boxes(&'a [Choice<'a>]),
    Radios(&'a [Choice<'a>]),
    Switch(bool),
}

/// A field of a form. It starts with its kind, such as `Field::email("email", "E-mail")`, and is told the
/// rest; it is put into a page as it is.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    control: Control<'a>,
    name: &'a str,
    label: &'a str,
    id: Option<&'a str>,
    value: &'a str,
    hint: Option<&'a str>,
    error: Option<&'a str>,
    required: bool,
    affix: Option<(&'a str, bool)>,
    attributes: Attributes<'a>,
}

#[derive(Clone, Debug, Default)]
struct Attributes<'a> {
    placeholder: Option<&'a str>,
    autocomplete: Option<&'a str>,
    input_mode: Option<&'a str>,
    pattern: Option<&'a str>,
    accept: Option<&'a str>,
    list: Option<&'a str>,
    min: Option<&'a str>,
    max: Option<&'a str>,
    step: Option<&'a str>,
    max_length: Option<u32>,
    autofocus: bool,
}

impl<'a> Field<'a> {
    const fn new(control: Control<'a>, name: &'a str, label: &'a str) -> Self {
        Self {
            control,
            name,
            label,
            id: None,
            value: "",
            hint: None,
            error: None,
            required: false,
            affix: None,
            attributes: Attributes {
                placeholder: None,
                autocomplete: None,
                input_mode: None,
                pattern: None,
                accept: None,
                list: None,
                min: None,
                max: None,
                step: None,
                max_length: None,
                autofocus: false,
            },
        }
    }

    /// A line of text.
    pub const fn text(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("text"), name, label)
    }

    /// An e-mail address.
    pub const fn email(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("email"), name, label).autocomplete("email")
    }

    /// An address on the web.
    pub const fn url(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("url"), name, label)
    }

    /// A secret that is not shown while it is typed, and that the browser is not to keep.
    pub const fn secret(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("password"), name, label).autocomplete("off")
    }

    /// What to look for.
    pub const fn search(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("search"), name, label)
    }

    /// A whole number.
    pub const fn number(name: &'a str, label: &'a str) -> Self {
        let mut field = Self::new(Control::Input("number"), name, label);
        field.attributes.input_mode = Some("numeric");
        field
    }

    /// An amount in US dollars, with decimals if needed.
    pub const fn usd(name: &'a str, label: &'a str) -> Self {
        let mut field = Self::new(Control::Input("text"), name, label).prefix("$");
        field.attributes.input_mode = Some("decimal");
        field
    }

    /// A number with decimals, such as a percentage.
    pub const fn decimal(name: &'a str, label: &'a str) -> Self {
        let mut field = Self::new(Control::Input("text"), name, label);
        field.attributes.input_mode = Some("decimal");
        field
    }

    /// A code of digits that was sent or that an authenticator shows.
    pub const fn one_time_code(name: &'a str, label: &'a str) -> Self {
        let mut field = Self::new(Control::Input("text"), name, label);
        field.attributes.input_mode = Some("numeric");
        field.attributes.pattern = Some("[0-9 ]*");
        field.attributes.autocomplete = Some("one-time-code");
        field
    }

    /// A day, as `2026-11-03`.
    pub const fn date(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("date"), name, label)
    }

    /// A day and time of the person's zone, as `2026-11-03T10:15`.
    pub const fn datetime(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("datetime-local"), name, label)
    }

    /// A colour, as `#rrggbb`.
    pub const fn color(name: &'a str, label: &'a str) -> Self {
        Self::new(Control::Input("color"), name, label)
    }

    /// A file of the media types, such as `image/png,image/webp`.
    pub const fn file(name: &'a str, label: &'a str, accept: &'a str) -> Self {
        let mut field = Self::new(Control::Input("file"), name, label);
        field.attributes.accept = Some(accept);
        field
    }

    /// Lines of text.
    pub const fn textarea(name: &'a str, label: &'a str, rows: u8) -> Self {
        Self::new(Control::TextArea(rows), name, label)
    }

    /// One of several values, in a list that opens.
    pub const fn select(name: &'a str, label: &'a str, choices: &'a [Choice<'a>]) -> Self {
        Self::new(Control::Select(choices), name, label)
    }

    /// One of several values, all of them seen.
    pub const fn radios(name: &'a str, label: &'a str, choices: &'a [Choice<'a>]) -> Self {
        Self::new(Control::Radios(choices), name, label)
    }

    /// Any of several values.
    pub const fn checkboxes(name: &'a str, label: &'a str, choices: &'a [Choice<'a>]) -> Self {
        Self::new(Control::Boxes(choices), name, label)
    }

    /// Yes or no: `on` is sent if it is ticked, nothing if it is not.
    pub const fn checkbox(name: &'a str, label: &'a str, ticked: bool) -> Self {
        Self::new(Control::Switch(ticked), name, label)
    }

    /// What is filled in already.
    #[must_use]
    pub const fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }

    /// What helps to fill it in.
    #[must_use]
    pub const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What was wrong with what was filled in.
    #[must_use]
    pub const fn error(mut self, error: Option<&'a str>) -> Self {
        self.error = error;
        self
    }

    /// It must be filled in.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// An id, where two forms of a page have a field of this name; else it is `field-` and the name.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// What stands before it, such as `$`.
    #[must_use]
    pub const fn prefix(mut self, text: &'a str) -> Self {
        self.affix = Some((text, true));
        self
    }

    /// What stands after it, such as `%`.
    #[must_use]
    pub const fn suffix(mut self, text: &'a str) -> Self {
        self.affix = Some((text, false));
        self
    }

    /// An example of what to fill in.
    #[must_use]
    pub const fn placeholder(mut self, text: &'a str) -> Self {
        self.attributes.placeholder = Some(text);
        self
    }

    /// What the browser may fill in, as HTML names it.
    #[must_use]
    pub const fn autocomplete(mut self, what: &'a str) -> Self {
        self.attributes.autocomplete = Some(what);
        self
    }

    /// The id of a `datalist` with suggestions.
    #[must_use]
    pub const fn list(mut self, id: &'a str) -> Self {
        self.attributes.list = Some(id);
        self
    }

    /// The smallest value.
    #[must_use]
    pub const fn min(mut self, min: &'a str) -> Self {
        self.attributes.min = Some(min);
        self
    }

    /// The largest value.
    #[must_use]
    pub const fn max(mut self, max: &'a str) -> Self {
        self.attributes.max = Some(max);
        self
    }

    /// The distance of values, `any` for every one.
    #[must_use]
    pub const fn step(mut self, step: &'a str) -> Self {
        self.attributes.step = Some(step);
        self
    }

    /// The most characters.
    #[must_use]
    pub const fn max_length(mut self, characters: u32) -> Self {
        self.attributes.max_length = Some(characters);
        self
    }

    /// Where typing begins on this page.
    #[must_use]
    pub const fn autofocus(mut self) -> Self {
        self.attributes.autofocus = true;
        self
    }

    fn notes(&self, id: &str) -> Markup {
        html! {
            @if let Some(error) = self.error {
                p id={ (id) "-error" } class="field-error" { (error) }
            }
            @if let Some(hint) = self.hint {
                p id={ (id) "-hint" } class="field-hint" { (hint) }
            }
        }
    }

    fn described_by(&self, id: &str) -> Option<String> {
        let error = self.error.map(|_| format!("{id}-error"));
        let hint = self.hint.map(|_| format!("{id}-hint"));
        let both: Vec<String> = error.into_iter().chain(hint).collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    fn input(&self, kind: &str, id: &str) -> Markup {
        let class = match kind {
            "file" => "file-input w-full",
            "color" => "input w-20 p-1",
            _ => "input w-full",
        };
        let more = &self.attributes;
        let field = html! {
            input type=(kind) id=(id) name=(self.name) class=[self.affix.is_none().then_some(class)]
                value=[(kind != "file").then_some(self.value)]
                required[self.required] autofocus[more.autofocus]
                placeholder=[more.placeholder] autocomplete=[more.autocomplete]
                inputmode=[more.input_mode] pattern=[more.pattern] accept=[more.accept]
                list=[more.list] min=[more.min] max=[more.max] step=[more.step]
                maxlength=[more.max_length]
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described_by(id)];
        };
        match self.affix {
            None => field,
            Some((text, first)) => html! {
                div class=(class) {
                    @if first { span class="muted" { (text) } }
                    (field)
                    @if !first { span class="muted" { (text) } }
                }
            },
        }
    }

    fn one(&self, id: &str) -> Markup {
        let described = self.described_by(id);
        let invalid = self.error.map(|_| "true");
        match &self.control {
            Control::TextArea(rows) => html! {
                textarea id=(id) name=(self.name) class="textarea w-full" rows=(rows)
                    required[self.required] autofocus[self.attributes.autofocus]
                    placeholder=[self.attributes.placeholder]
                    maxlength=[self.attributes.max_length]
                    // HTML leaves out the first line break, so one is written for it.
                    aria-invalid=[invalid] aria-describedby=[described] { "\n" (self.value) }
            },
            Control::Select(choices) => html! {
                select id=(id) name=(self.name) class="select w-full" required[self.required]
                    aria-invalid=[invalid] aria-describedby=[described] {
                    @for choice in *choices {
                        option value=(choice.value) selected[choice.chosen] { (choice.label) }
                    }
                }
            },
            Control::Input(kind) => self.input(kind, id),
            Control::Boxes(_) | Control::Radios(_) | Control::Switch(_) => html! {},
        }
    }

    fn group(&self, id: &str, kind: &str, choices: &[Choice<'_>]) -> Markup {
        let class = if kind == "radio" {
            "radio radio-sm"
        } else {
            "checkbox checkbox-sm"
        };
        html! {
            fieldset class="field" aria-describedby=[self.described_by(id)] {
                legend { (self.label) }
                div class="choices" {
                    @for choice in choices {
                        label {
                            input type=(kind) name=(self.name) value=(choice.value) class=(class)
                                checked[choice.chosen];
                            span { (choice.label) }
                        }
                    }
                }
                (self.notes(id))
            }
        }
    }
}

impl Render for Field<'_> {
    fn render(&self) -> Markup {
        let id = self
            .id
            .map_or_else(|| format!("field-{}", self.name), str::to_owned);
        match &self.control {
            Control::Boxes(choices) => self.group(&id, "checkbox", choices),
            Control::Radios(choices) => self.group(&id, "radio", choices),
            Control::Switch(ticked) => html! {
                div class="field" {
                    label class="switch" {
                        input type="checkbox" id=(id) name=(self.name) value="on"
                            class="checkbox checkbox-sm" checked[*ticked] required[self.required]
                            aria-invalid=[self.error.map(|_| "true")]
                            aria-describedby=[self.described_by(&id)];
                        span { (self.label) }
                    }
                    (self.notes(&id))
                }
            },
            Control::Input(_) | Control::TextArea(_) | Control::Select(_) => html! {
                div class="field" {
                    label for=(id) { (self.label) }
                    (self.one(&id))
                    (self.notes(&id))
                }
            },
        }
    }
}
