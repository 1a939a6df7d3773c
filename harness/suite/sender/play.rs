//! Plays a scenario on a sender, and writes down how it ended.

use super::stage::SenderStage;
use crate::subject::SubjectError;
use crate::suite::scenario::{Play, Scenario};
use crate::suite::stage::Stage;
use crate::suite::transcript::{Ending, Transcript};

impl Stage for SenderStage<'_> {
    async fn run(&mut self, scenario: &Scenario) {
        let played = match scenario.play {
            Play::Sender(course) if scenario.needs.is_none_or(|needed| self.declares(needed)) => {
                course(self).await
            }
            _ => Ok(()),
        };
        self.collect();
        let cleared = if played.is_ok() { self.clear_away().await } else { Ok(()) };
        let ending = match played.and(cleared) {
            Ok(()) => Ending::Complete,
            Err(SubjectError::Died(why)) => Ending::Died(why),
            Err(SubjectError::Broke(why)) => Ending::Broke(why),
            Err(SubjectError::Unkept(why)) => Ending::Unkept(why),
            Err(why) => Ending::Stuck(why.to_string()),
        };
        self.leave();
        self.transcript.endings.push((scenario.name, ending));
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript
    }
}
