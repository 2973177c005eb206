//! How a field is drawn: the label, the control, and the notes that a screen reader tells with it.

use maud::{Markup, Render, html};

use super::{Choice, Control, Field};

impl Field<'_> {
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
