//! One thing to fill in: its label, its control, a hint and what was wrong with it.

mod html;

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
}
