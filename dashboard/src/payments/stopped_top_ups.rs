//! Mails to the people of an account whose automatic top-up a payment switched off: one to each, however
//! often it takes until the provider has it.

use tollgate_core::hrana::Batch;
use tollgate_core::orders::{
    StoppedTopUp, forget_untold_statement, read_stopped_top_up, stopped_top_ups_statement,
};

use crate::billing::failure;
use crate::fault::Outcome;
use crate::language::Language;
use crate::log;
use crate::mail::{Mail, deliver};
use crate::visit::Visit;

/// How many accounts one run tells.
const MOST: u32 = 50;

/// Tells everybody who is still to be told.
pub async fn tell(visit: &Visit) -> Outcome<()> {
    let mut batch = Batch::new();
    batch.step(None, forget_untold_statement(visit.now_ms));
    let found = batch.step(None, stopped_top_ups_statement(visit.now_ms, MOST));
    let reply = visit.execute(&batch).await?;
    let rows = reply.rows_of(found)?.iter().map(read_stopped_top_up);
    let people = rows.collect::<Result<Vec<StoppedTopUp>, _>>()?;
    for account in people.chunk_by(|one, next| one.account == next.account) {
        if let Err(fault) = tell_account(visit, account).await {
            // The next run sends the same mails, and those that arrived do not come twice.
            log::fault(visit, "scheduled: stopped top-up", &fault);
        }
    }
    Ok(())
}

async fn tell_account(visit: &Visit, people: &[StoppedTopUp]) -> Outcome<()> {
    for person in people {
        deliver(visit, mail(person)).await?;
    }
    let Some(any) = people.first() else {
        return Ok(());
    };
    let mut batch = Batch::new();
    let told = batch.step(None, any.told());
    visit.execute(&batch).await?.rows_of(told)?;
    Ok(())
}

fn mail(stopped: &StoppedTopUp) -> Mail<'_> {
    let language = Language::of_tag(&stopped.language);
    let why = failure(language, &stopped.stopped_by);
    let page = format!("{}/billing", stopped.origin.as_deref().unwrap_or_default());
    Mail {
        to: &stopped.email,
        subject: language.fill(
            "Automatic top-up at {name} is switched off",
            &[("name", &stopped.seller)],
        ),
        text: language.fill(
            "Automatic top-up of your credit at {name} was switched off, because a payment did not come about.\n\n{why}\n\nYour calls go on until your credit is used up. Buy credit, or save another card and switch automatic top-up on again:\n{page}\n",
            // The name last: people chose it, and nothing in it is replaced.
            &[("why", &why), ("page", &page), ("name", &stopped.seller)],
        ),
        once: stopped.mail_name(),
    }
}

#[cfg(test)]
mod tests {
    use tollgate_core::ids::{AccountId, PersonId};

    use super::*;

    #[test]
    fn the_mail_says_why_and_where_to_go() {
        let stopped = StoppedTopUp {
            account: AccountId::from_random([1; 10]),
            attempts: 3,
            stopped_by: "insufficient_funds".to_owned(),
            person: PersonId::from_random([2; 10]),
            email: "ada@example.org".to_owned(),
            language: "en".to_owned(),
            seller: "Shop {why}".to_owned(),
            origin: Some("https://shop.example".to_owned()),
        };
        let mail = mail(&stopped);
        assert_eq!(mail.to, "ada@example.org");
        assert!(mail.subject.contains("Shop {why}"), "{}", mail.subject);
        assert!(mail.text.contains("at Shop {why} was"), "{}", mail.text);
        assert!(mail.text.contains("not enough money"), "{}", mail.text);
        assert!(
            mail.text.contains("\nhttps://shop.example/billing\n"),
            "{}",
            mail.text
        );
        assert!(
            mail.once.ends_with(stopped.person.as_str()),
            "{}",
            mail.once
        );
    }
}
