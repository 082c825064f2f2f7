//! Calls whose questions are answered, the same way in both eras.

use crate::common::{Client, Era, text};
use serde_json::{Value, json};

pub struct Talk {
    pub client: Client,
}

/// How a call goes on.
pub enum Turn {
    Asked(Question),
    Ended(Value),
}

/// A question to the person behind the client.
#[derive(Clone, Debug)]
pub struct Question {
    pub message: String,
    pub schema: Value,
    /// The call that it belongs to.
    pub call: u64,
    pub tool: String,
    pub arguments: Value,
    back: Back,
}

/// Where the answer goes.
#[derive(Clone, Debug)]
enum Back {
    /// To a request of the server.
    Request(Value),
    /// With the same call, and this state.
    Again(String),
}

impl Question {
    pub fn state(&self) -> &str {
        match &self.back {
            Back::Again(state) => state,
            Back::Request(_) => panic!("only the stateless era has it"),
        }
    }

    pub fn with_state(mut self, state: &str) -> Question {
        self.back = Back::Again(state.to_owned());
        self
    }

    /// What has to be typed, or none for a yes.
    pub fn is_typed(&self) -> bool {
        let kind = &self.schema["properties"]["confirm"]["type"];
        assert!(kind == "string" || kind == "boolean", "{}", self.schema);
        assert_eq!(self.schema["required"], json!(["confirm"]));
        kind == "string"
    }
}

pub fn typed(word: &str) -> Value {
    json!({"action": "accept", "content": {"confirm": word}})
}

pub fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

impl Talk {
    pub fn new(client: Client) -> Talk {
        Talk { client }
    }

    /// Calls a tool, up to its end or a question.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Turn {
        let id = self.client.send("tools/call", json!({"name": tool, "arguments": arguments}));
        self.turn(id, tool, arguments)
    }

    /// Calls a tool that has to ask.
    pub fn asked(&mut self, tool: &str, arguments: Value) -> Question {
        match self.call(tool, arguments) {
            Turn::Asked(question) => question,
            Turn::Ended(result) => panic!("{tool} did not ask: {result}"),
        }
    }

    /// Calls a tool that has to end without a question.
    pub fn ended(&mut self, tool: &str, arguments: Value) -> Value {
        match self.call(tool, arguments) {
            Turn::Asked(question) => panic!("{tool} asked: {}", question.message),
            Turn::Ended(result) => result,
        }
    }

    /// Answers, and goes on up to the end or the next question.
    pub fn answer(&mut self, question: &Question, answer: Value) -> Turn {
        let id = self.tell(question, answer);
        self.turn(id, &question.tool, question.arguments.clone())
    }

    /// Answers a question that has to be the last one.
    pub fn last(&mut self, question: &Question, answer: Value) -> Value {
        match self.answer(question, answer) {
            Turn::Asked(question) => panic!("it asked again: {}", question.message),
            Turn::Ended(result) => result,
        }
    }

    /// Answers a question after which another one has to come.
    pub fn again(&mut self, question: &Question, answer: Value) -> Question {
        match self.answer(question, answer) {
            Turn::Asked(question) => question,
            Turn::Ended(result) => panic!("it did not ask again: {result}"),
        }
    }

    /// Sends the answer, and gives the id of the request that will be answered now.
    pub fn tell(&mut self, question: &Question, answer: Value) -> u64 {
        match &question.back {
            Back::Request(id) => {
                self.client.reply(id, ("result", answer));
                question.call
            }
            Back::Again(state) => {
                let params = json!({
                    "name": question.tool, "arguments": question.arguments,
                    "inputResponses": {"confirm": answer}, "requestState": state,
                });
                self.client.send("tools/call", params)
            }
        }
    }

    /// Waits for the end of this call, or its next question.
    pub fn turn(&mut self, id: u64, tool: &str, arguments: Value) -> Turn {
        let (tool, call) = (tool.to_owned(), id);
        let question = |params: &Value, back| Question {
            message: params["message"].as_str().expect("a message").to_owned(),
            schema: params["requestedSchema"].clone(),
            call,
            tool: tool.clone(),
            arguments: arguments.clone(),
            back,
        };
        if let Some(request) = self.client.asked(id) {
            assert_eq!(self.client.era(), Era::Handshake, "{request}");
            assert_eq!(request["method"], "elicitation/create", "{request}");
            return Turn::Asked(question(&request["params"], Back::Request(request["id"].clone())));
        }
        let answer = self.client.answer(id);
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        let result = answer["result"].clone();
        if result["resultType"] == "input_required" {
            assert_eq!(self.client.era(), Era::Stateless, "{result}");
            let asked = &result["inputRequests"]["confirm"];
            assert_eq!(asked["method"], "elicitation/create", "{result}");
            let state = result["requestState"].as_str().expect("a state").to_owned();
            return Turn::Asked(question(&asked["params"], Back::Again(state)));
        }
        Turn::Ended(result)
    }
}

/// The call was made and went well.
#[track_caller]
pub fn done(result: &Value) {
    assert_ne!(result["isError"], true, "{result}");
    assert_eq!(result["structuredContent"]["outcome"], "ok", "{result}");
}

/// The call was not made, and the text says all of this.
#[track_caller]
pub fn not_done<'r>(result: &'r Value, parts: &[&str]) -> &'r str {
    assert_eq!(result["isError"], true, "{result}");
    let text = text(result);
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    text
}
