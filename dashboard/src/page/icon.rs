//! The icons, drawn for this product on a grid of 24 with a line of 1.75. They decorate a text that is
//! there besides, so they are hidden from screen readers.

use maud::{Markup, Render, html};

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A list of what was done.
    Audit,
    /// A card to pay with.
    Billing,
    /// A drop of paint.
    Brand,
    /// A tick.
    Check,
    /// Two sheets.
    Copy,
    /// People.
    Customers,
    /// A globe.
    Domains,
    /// An arrow down to a line.
    Download,
    /// An empty tray.
    Empty,
    /// An `i` in a circle.
    Info,
    /// A key.
    Keys,
    /// Three lines.
    Menu,
    /// A cube.
    Models,
    /// An arrow to the right.
    Next,
    /// Four tiles.
    Overview,
    /// A speech bubble.
    Playground,
    /// A plus.
    Plus,
    /// An arrow to the left.
    Previous,
    /// A label with a hole.
    Prices,
    /// A plug.
    Providers,
    /// Lines of a list.
    Requests,
    /// A shop.
    Resellers,
    /// Bars that grow.
    Revenue,
    /// Sliders.
    Settings,
    /// A door with an arrow out of it.
    SignOut,
    /// Half a disc, for light and dark.
    Theme,
    /// A triangle with a mark.
    Warning,
}

impl Icon {
    /// What the pen draws.
    const fn path(self) -> &'static str {
        match self {
            Self::Audit => "M6 3h9l4 4v14H6zM15 3v4h4M9 12l2 2 4-4M9 18h6",
            Self::Billing => "M3 6h18v12H3zM3 10h18M7 15h3",
            Self::Brand => {
                "M12 3c4 4.5 6 7.6 6 10.5a6 6 0 0 1-12 0C6 10.6 8 7.5 12 3zM9.5 14a2.5 2.5 0 0 0 2.5 2.5"
            }
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Copy => "M9 9h11v11H9zM15 9V4H4v11h5",
            Self::Customers => {
                "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2 .8 3.2 2.7 3.5 5.5"
            }
            Self::Domains => {
                "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3.5 9.5h17M3.5 14.5h17M12 3c-5 5.5-5 12.5 0 18M12 3c5 5.5 5 12.5 0 18"
            }
            Self::Download => "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
            Self::Empty => "M5 5h14l2 9v5H3v-5zM3 14h5l1.5 2.5h5L16 14h5",
            Self::Info => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.5",
            Self::Keys => {
                "M8 20a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM11.2 12.3L20 3.5M16 7.5l3 3M13.5 10l2 2"
            }
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::Models => "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
            Self::Next => "M5 12h14M13 6l6 6-6 6",
            Self::Overview => "M4 4h7v8H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 14h7v6H4z",
            Self::Playground => "M4 4h16v12h-9l-5 4.5V16H4zM8 8.5h8M8 12h5",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Previous => "M19 12H5M11 6l-6 6 6 6",
            Self::Prices => "M4 4h8l8.5 8.5-8 8L4 12zM8 8v.1",
            Self::Providers => "M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v3",
            Self::Requests => "M4 6h1M9 6h11M4 12h1M9 12h11M4 18h1M9 18h7",
            Self::Resellers => "M4 4h16l1.5 6h-19zM4.5 10v10h15V10M10 20v-6h4v6",
            Self::Revenue => "M4 20h16M6.5 16v-4M12 16V8M17.5 16V4",
            Self::Settings => "M4 7h8M18 7h2M4 17h2M12 17h8M15 4.5v5M9 14.5v5",
            Self::SignOut => "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
            Self::Theme => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 7a5 5 0 0 1 0 10",
            Self::Warning => "M12 4l9.5 16h-19zM12 10v4.5M12 17v.3",
        }
    }
}

impl Render for Icon {
    fn render(&self) -> Markup {
        html! {
            svg.icon viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
                path d=(self.path()) {}
            }
        }
    }
}
