//! What can go wrong with a model. How it is carried out stands in `chat` and `stream`.

/// What a model does differently from a well-behaved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Answers this HTTP status, always.
    Status(u16),
    /// Answers this HTTP status to the first call with a given text, then behaves.
    StatusOnce(u16),
    /// Answers 200 and an error as the body.
    ErrorIn200,
    /// Breaks off half-way with an error chunk.
    ErrorMidStream,
    /// Reads the request and never answers.
    Timeout,
    /// Sends its response head late.
    SlowHead,
    /// Closes the connection before any byte of a response.
    DropBefore,
    /// Closes the connection half-way through the body.
    DropMid,
    /// Resets the connection half-way through the body.
    ResetMid,
    /// Sends broken events half-way through the stream, broken JSON one-shot.
    MalformedSse,
    /// Sends many comments and fields that are not data.
    Comments,
    /// Leaves out `[DONE]`.
    NoDone,
    /// Writes bytes apart in awkward places.
    SplitUtf8,
    /// Leaves out the usage.
    NoUsage,
    /// Sends the usage so far in every chunk.
    UsageEvery,
    /// Reports and bills ten times the tokens that were allowed.
    UsageHuge,
    /// Thinks before it answers, and bills the hidden tokens.
    Reasoning,
    /// Reads half of the prompt from a cache and writes a quarter to it.
    Cached,
    /// Answers with more than 32 MiB.
    Huge,
    /// Puts more than 8 MiB into one event.
    HugeEvent,
    /// Redirects with 307.
    Redirect,
    /// Compresses the body when the client accepts it.
    Gzip,
    /// Answers a page of HTML.
    Html,
    /// Answers an empty body.
    Empty,
    /// Falls silent half-way through the stream.
    Pause,
    /// Answers the first two look-ups of a generation with 404.
    LateRecord,
}
