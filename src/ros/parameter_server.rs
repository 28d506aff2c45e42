//! The parameter services and `/parameter_events`, as rclcpp's nodes have them.
//!
//! r2r's own server has no ranges, no veto before a change and publishes no events.

use super::lock::lock;
use super::node_thread::Ros;
use super::parameters::{Kind, Parameters, Spec, When, PARAMETERS};
use super::shared_publisher::SharedPublisher;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::StreamExt;
use r2r::rcl_interfaces::msg::{
    FloatingPointRange, IntegerRange, ListParametersResult, Parameter, ParameterDescriptor, ParameterEvent,
    ParameterType, ParameterValue as Message, SetParametersResult,
};
use r2r::rcl_interfaces::srv::{
    DescribeParameters, GetParameterTypes, GetParameters, ListParameters, SetParameters, SetParametersAtomically,
};
use r2r::{Clock, Node, ParameterValue, QosProfile, ServiceRequest};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// Applies changed parameters, all or none; the reason when they are refused.
pub type Apply = Arc<dyn Fn(Vec<(String, ParameterValue)>) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The services' requests, to be served once the node spins.
pub struct Streams {
    describe: Requests<DescribeParameters::Service>,
    get: Requests<GetParameters::Service>,
    types: Requests<GetParameterTypes::Service>,
    list: Requests<ListParameters::Service>,
    set: Requests<SetParameters::Service>,
    set_atomically: Requests<SetParametersAtomically::Service>,
    events: SharedPublisher<ParameterEvent>,
    node_name: String,
}

type Requests<T> = BoxStream<'static, ServiceRequest<T>>;

impl Streams {
    /// Opens the services of a node.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(node: &mut Node) -> r2r::Result<Streams> {
        fn open<T: r2r::WrappedServiceTypeSupport + 'static>(node: &mut Node, name: &str) -> r2r::Result<Requests<T>> {
            Ok(Box::pin(node.create_service::<T>(&format!("~/{name}"), QosProfile::parameters())?))
        }
        Ok(Streams {
            describe: open(node, "describe_parameters")?,
            get: open(node, "get_parameters")?,
            types: open(node, "get_parameter_types")?,
            list: open(node, "list_parameters")?,
            set: open(node, "set_parameters")?,
            set_atomically: open(node, "set_parameters_atomically")?,
            // rmw_qos_profile_parameter_events
            events: SharedPublisher::new(
                node.create_publisher("/parameter_events", QosProfile::parameters().keep_last(1000))?,
            ),
            node_name: node.fully_qualified_name()?,
        })
    }

    /// Serves them; changes go through `apply`.
    pub fn serve(self, ros: Ros, parameters: Arc<Mutex<Parameters>>, apply: Apply) -> Vec<JoinHandle<()>> {
        let Streams { describe, get, types, list, set, set_atomically, events, node_name } = self;
        let (mut describe, mut get, mut types) = (ros.drained(describe), ros.drained(get), ros.drained(types));
        let (mut list, mut set, mut set_atomically) =
            (ros.drained(list), ros.drained(set), ros.drained(set_atomically));
        let announcer = Announcer { ros, events, node_name };
        let snapshot = {
            let parameters = parameters.clone();
            move || lock(&parameters).clone()
        };
        announcer.announce(None, &snapshot());
        let (of_get, of_types) = (snapshot.clone(), snapshot.clone());
        // one at a time, whichever service it comes by
        let setting = Arc::new(tokio::sync::Mutex::new((announcer, snapshot, apply)));
        let setting_atomically = setting.clone();
        // a caller who has gone needs no reply
        vec![
            tokio::spawn(async move {
                while let Some(request) = describe.next().await {
                    let descriptors = request.message.names.iter().map(|name| described(name)).collect();
                    let _ = request.respond(DescribeParameters::Response { descriptors });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = get.next().await {
                    let now = of_get();
                    let value = |name: &String| message(now.value(name).unwrap_or(&ParameterValue::NotSet));
                    let values = request.message.names.iter().map(value).collect();
                    let _ = request.respond(GetParameters::Response { values });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = types.next().await {
                    let now = of_types();
                    let kind = |name: &String| message(now.value(name).unwrap_or(&ParameterValue::NotSet)).type_;
                    let types = request.message.names.iter().map(kind).collect();
                    let _ = request.respond(GetParameterTypes::Response { types });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = list.next().await {
                    let prefixes = &request.message.prefixes;
                    // no name has a dot, so a prefix is a whole name
                    let wanted =
                        |spec: &&Spec| prefixes.is_empty() || prefixes.iter().any(|prefix| prefix == spec.name);
                    let names = PARAMETERS.iter().filter(wanted).map(|spec| spec.name.to_string()).collect();
                    let result = ListParametersResult { names, prefixes: Vec::new() };
                    let _ = request.respond(ListParameters::Response { result });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = set.next().await {
                    let setting = setting.lock().await;
                    let mut results = Vec::new();
                    for parameter in &request.message.parameters {
                        results.push(change(&setting, std::slice::from_ref(parameter)).await);
                    }
                    let _ = request.respond(SetParameters::Response { results });
                }
            }),
            tokio::spawn(async move {
                while let Some(request) = set_atomically.next().await {
                    let setting = setting_atomically.lock().await;
                    let result = change(&setting, &request.message.parameters).await;
                    let _ = request.respond(SetParametersAtomically::Response { result });
                }
            }),
        ]
    }
}

async fn change<S: Fn() -> Parameters>(
    (announcer, snapshot, apply): &(Announcer, S, Apply),
    changes: &[Parameter],
) -> SetParametersResult {
    let before = snapshot();
    let changes = changes.iter().map(|parameter| (parameter.name.clone(), value(&parameter.value))).collect();
    match apply(changes).await {
        Ok(()) => {
            announcer.announce(Some(&before), &snapshot());
            SetParametersResult { successful: true, reason: String::new() }
        }
        Err(reason) => SetParametersResult { successful: false, reason },
    }
}

struct Announcer {
    ros: Ros,
    events: SharedPublisher<ParameterEvent>,
    node_name: String,
}

impl Announcer {
    /// Says what is new (without a `before`) or has changed.
    fn announce(&self, before: Option<&Parameters>, now: &Parameters) {
        let parameter =
            |(spec, value): (&Spec, &ParameterValue)| Parameter { name: spec.name.into(), value: message(value) };
        let mut event = ParameterEvent {
            stamp: Clock::to_builtin_time(&self.ros.now()),
            node: self.node_name.clone(),
            ..Default::default()
        };
        match before {
            None => event.new_parameters = now.all().map(parameter).collect(),
            Some(before) => {
                let changed = now.all().filter(|(spec, value)| before.value(spec.name) != Some(value));
                event.changed_parameters = changed.map(parameter).collect();
            }
        }
        self.events.publish(&event);
    }
}

fn described(name: &str) -> ParameterDescriptor {
    let Some(spec) = PARAMETERS.iter().find(|spec| spec.name == name) else {
        return ParameterDescriptor { name: name.into(), ..Default::default() };
    };
    let mut descriptor = ParameterDescriptor {
        name: name.into(),
        description: spec.description.into(),
        additional_constraints: spec.when.constraint().into(),
        read_only: spec.when == When::Start,
        type_: match spec.kind {
            Kind::Text => ParameterType::PARAMETER_STRING as u8,
            Kind::Texts => ParameterType::PARAMETER_STRING_ARRAY as u8,
            Kind::Flag => ParameterType::PARAMETER_BOOL as u8,
            Kind::Number => ParameterType::PARAMETER_DOUBLE as u8,
            Kind::Count => ParameterType::PARAMETER_INTEGER as u8,
        },
        ..Default::default()
    };
    match (spec.kind, spec.range) {
        (Kind::Number, Some((from_value, to_value))) => {
            descriptor.floating_point_range = vec![FloatingPointRange { from_value, to_value, step: 0.0 }];
        }
        (Kind::Count, Some((from, to))) => {
            descriptor.integer_range = vec![IntegerRange { from_value: from as i64, to_value: to as i64, step: 1 }];
        }
        _ => {}
    }
    descriptor
}

fn message(value: &ParameterValue) -> Message {
    let mut message = Message { type_: ParameterType::PARAMETER_NOT_SET as u8, ..Default::default() };
    match value.clone() {
        ParameterValue::Bool(value) => {
            message.type_ = ParameterType::PARAMETER_BOOL as u8;
            message.bool_value = value;
        }
        ParameterValue::Integer(value) => {
            message.type_ = ParameterType::PARAMETER_INTEGER as u8;
            message.integer_value = value;
        }
        ParameterValue::Double(value) => {
            message.type_ = ParameterType::PARAMETER_DOUBLE as u8;
            message.double_value = value;
        }
        ParameterValue::String(value) => {
            message.type_ = ParameterType::PARAMETER_STRING as u8;
            message.string_value = value;
        }
        ParameterValue::StringArray(value) => {
            message.type_ = ParameterType::PARAMETER_STRING_ARRAY as u8;
            message.string_array_value = value;
        }
        _ => {} // no parameter of ours holds any other
    }
    message
}

fn value(message: &Message) -> ParameterValue {
    let kinds = [
        (ParameterType::PARAMETER_BOOL as u8, ParameterValue::Bool(message.bool_value)),
        (ParameterType::PARAMETER_INTEGER as u8, ParameterValue::Integer(message.integer_value)),
        (ParameterType::PARAMETER_DOUBLE as u8, ParameterValue::Double(message.double_value)),
        (ParameterType::PARAMETER_STRING as u8, ParameterValue::String(message.string_value.clone())),
        (ParameterType::PARAMETER_BYTE_ARRAY as u8, ParameterValue::ByteArray(message.byte_array_value.clone())),
        (ParameterType::PARAMETER_BOOL_ARRAY as u8, ParameterValue::BoolArray(message.bool_array_value.clone())),
        (
            ParameterType::PARAMETER_INTEGER_ARRAY as u8,
            ParameterValue::IntegerArray(message.integer_array_value.clone()),
        ),
        (ParameterType::PARAMETER_DOUBLE_ARRAY as u8, ParameterValue::DoubleArray(message.double_array_value.clone())),
        (ParameterType::PARAMETER_STRING_ARRAY as u8, ParameterValue::StringArray(message.string_array_value.clone())),
    ];
    let found = kinds.into_iter().find(|(kind, _)| *kind == message.type_);
    found.map_or(ParameterValue::NotSet, |(_, value)| value)
}
