//! Python's `datetime`, `date`, `time` and `timedelta`, as `modules.datetime` gives them.

use std::any::Any;

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use crate::jinja::Error;
use crate::jinja::ir::Binary;
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};

/// Is a `datetime` (with or without an offset) or a `date`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment(pub(crate) NaiveDateTime, pub(crate) Option<FixedOffset>, pub(crate) bool);

/// Is a `time` without an offset.
#[derive(Clone, Debug, PartialEq)]
struct Clock(NaiveTime);

/// Is a `timedelta`.
#[derive(Clone, Debug, PartialEq)]
struct Delta(Duration);

impl Moment {
    /// Reads RFC 3339; the epoch where there is nothing to read.
    pub(crate) fn parse_utc(text: &str) -> Self {
        let parsed = DateTime::parse_from_rfc3339(text).map_or(DateTime::<Utc>::UNIX_EPOCH, |moment| moment.to_utc());
        Self(parsed.naive_utc(), FixedOffset::east_opt(0), false)
    }

    fn offset(&self) -> String {
        self.1.map_or_else(String::new, |offset| {
            let seconds = offset.local_minus_utc();
            let sign = if seconds < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
        })
    }

    fn iso(&self, separator: &str) -> String {
        if self.2 {
            return self.0.format("%Y-%m-%d").to_string();
        }
        let micros = self.0.nanosecond() / 1000;
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        format!("{}{separator}{}{fraction}{}", self.0.format("%Y-%m-%d"), self.0.format("%H:%M:%S"), self.offset())
    }

    pub(crate) fn strftime(&self, format: &str) -> String {
        let offset = self.offset().replace(':', "");
        let zone = if self.1.is_some_and(|offset| offset.local_minus_utc() == 0) { "UTC" } else { "" };
        let micros = format!("{:06}", self.0.nanosecond() / 1000);
        let format = format.replace("%z", &offset).replace("%Z", zone).replace("%f", &micros);
        use std::fmt::Write as _;
        let mut out = String::new();
        // A format that chrono does not know prints as it is written, as Python's does.
        if write!(out, "{}", self.0.format(&format)).is_err() {
            return format;
        }
        out
    }

    fn timestamp(&self) -> f64 {
        let offset = self.1.map_or(0, |offset| offset.local_minus_utc());
        self.0.and_utc().timestamp_micros() as f64 / 1e6 - f64::from(offset)
    }
}

fn int(args: &Args, index: usize, name: &str, default: u32) -> u32 {
    u32::try_from(args.int(index, name, i64::from(default))).unwrap_or(default)
}

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        if self.2 { "date" } else { "datetime" }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let whole = |n: u32| Value::Int(i64::from(n));
        Ok(Some(match name {
            "year" => Value::Int(i64::from(self.0.year())),
            "month" => whole(self.0.month()),
            "day" => whole(self.0.day()),
            "hour" if !self.2 => whole(self.0.hour()),
            "minute" if !self.2 => whole(self.0.minute()),
            "second" if !self.2 => whole(self.0.second()),
            "microsecond" if !self.2 => whole(self.0.nanosecond() / 1000),
            "tzinfo" if !self.2 => {
                self.1.map_or(Value::None, |offset| Value::object(super::modules::Zone::fixed(offset)))
            }
            _ => return Ok(None),
        }))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "strftime" | "__format__" => Value::from(self.strftime(&args.text(0, "format")?)),
            "isoformat" => Value::from(self.iso(&args.maybe_text(0, "sep").unwrap_or_else(|| "T".into()))),
            "date" => Value::object(Self(self.0.date().and_time(NaiveTime::MIN), None, true)),
            "time" if !self.2 => Value::object(Clock(self.0.time())),
            "timestamp" => Value::Float(self.timestamp()),
            "weekday" => Value::Int(i64::from(self.0.weekday().num_days_from_monday())),
            "isoweekday" => Value::Int(i64::from(self.0.weekday().number_from_monday())),
            "replace" => {
                let date = NaiveDate::from_ymd_opt(
                    i32::try_from(args.int(0, "year", i64::from(self.0.year()))).unwrap_or(0),
                    int(args, 1, "month", self.0.month()),
                    int(args, 2, "day", self.0.day()),
                );
                let micro = int(args, 6, "microsecond", self.0.nanosecond() / 1000);
                let (hour, minute) = (int(args, 3, "hour", self.0.hour()), int(args, 4, "minute", self.0.minute()));
                let time = NaiveTime::from_hms_micro_opt(hour, minute, int(args, 5, "second", self.0.second()), micro);
                let (Some(date), Some(time)) = (date, time) else {
                    return Err(Error::runtime("day is out of range for month").into());
                };
                let offset = match args.named("tzinfo") {
                    None => self.1,
                    Some(Value::None) => None,
                    Some(zone) => match zone.downcast::<super::modules::Zone>() {
                        Some(zone) => Some(zone.offset_at(date.and_time(time))),
                        None => {
                            return Err(Error::runtime("tzinfo argument must be None or of a tzinfo subclass").into());
                        }
                    },
                };
                Value::object(Self(date.and_time(time), offset, self.2))
            }
            "astimezone" => {
                let zone = args.need(0, "tz")?;
                let zone = zone
                    .downcast::<super::modules::Zone>()
                    .ok_or_else(|| Error::runtime("tz argument must be an instance of tzinfo"))?;
                let utc = self.0 - Duration::seconds(i64::from(self.1.map_or(0, |offset| offset.local_minus_utc())));
                let offset = zone.offset_of_utc(utc);
                Value::object(Self(utc + Duration::seconds(i64::from(offset.local_minus_utc())), Some(offset), false))
            }
            _ => return Ok(None),
        }))
    }

    fn print(&self) -> String {
        self.iso(" ")
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }
}

impl Object for Clock {
    fn type_name(&self) -> &'static str {
        "time"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let whole = |n: u32| Value::Int(i64::from(n));
        Ok(Some(match name {
            "hour" => whole(self.0.hour()),
            "minute" => whole(self.0.minute()),
            "second" => whole(self.0.second()),
            "microsecond" => whole(self.0.nanosecond() / 1000),
            _ => return Ok(None),
        }))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        // Python's, too, is a time of 1900-01-01 when it is formatted.
        let moment = Moment(NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().and_time(self.0), None, false);
        Ok(match name {
            "isoformat" => Some(Value::from(self.print())),
            "strftime" => Some(Value::from(moment.strftime(&args.text(0, "format")?))),
            _ => None,
        })
    }

    fn print(&self) -> String {
        let micros = self.0.nanosecond() / 1000;
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        format!("{}{fraction}", self.0.format("%H:%M:%S"))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }
}

impl Object for Delta {
    fn type_name(&self) -> &'static str {
        "timedelta"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let seconds = self.0.num_seconds();
        Ok(Some(match name {
            "days" => Value::Int(seconds.div_euclid(86_400)),
            "seconds" => Value::Int(seconds.rem_euclid(86_400)),
            _ => return Ok(None),
        }))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, _args: &mut Args) -> Outcome<Option<Value>> {
        let micros = self.0.num_microseconds().unwrap_or(i64::MAX);
        Ok((name == "total_seconds").then(|| Value::Float(micros as f64 / 1e6)))
    }

    fn print(&self) -> String {
        let seconds = self.0.num_seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let time = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        match days {
            0 => time,
            1 | -1 => format!("{days} day, {time}"),
            _ => format!("{days} days, {time}"),
        }
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }
}

/// Adds and subtracts moments and deltas; None where neither is one.
pub(crate) fn arithmetic(op: Binary, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let made = |moment: &Moment, delta: Duration| Ok(Value::object(Moment(moment.0 + delta, moment.1, moment.2)));
    let (a, b) = (left.downcast::<Moment>(), right.downcast::<Moment>());
    let (c, d) = (left.downcast::<Delta>(), right.downcast::<Delta>());
    Some(match (op, a, b, c, d) {
        (Binary::Add, Some(moment), _, _, Some(delta)) | (Binary::Add, _, Some(moment), Some(delta), _) => {
            made(moment, delta.0)
        }
        (Binary::Sub, Some(moment), _, _, Some(delta)) => made(moment, -delta.0),
        (Binary::Sub, Some(a), Some(b), _, _) => Ok(Value::object(Delta(a.0 - b.0))),
        (Binary::Add, _, _, Some(a), Some(b)) => Ok(Value::object(Delta(a.0 + b.0))),
        (Binary::Sub, _, _, Some(a), Some(b)) => Ok(Value::object(Delta(a.0 - b.0))),
        (Binary::Mul, _, _, Some(delta), _) => match right.as_int().and_then(|n| i32::try_from(n).ok()) {
            Some(n) => Ok(Value::object(Delta(delta.0 * n))),
            None => return None,
        },
        _ => return None,
    })
}

/// Is `modules.datetime` itself, and its classes.
pub(super) struct Module(pub(super) &'static str);

impl Object for Module {
    fn type_name(&self) -> &'static str {
        "type"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(match (self.0, name) {
            ("module", "datetime") => Some(Value::object(Self("datetime"))),
            ("module", "date") => Some(Value::object(Self("date"))),
            ("module", "timedelta") => Some(Value::object(Self("timedelta"))),
            ("module", "timezone") => Some(Value::object(Self("timezone"))),
            ("timezone", "utc") => FixedOffset::east_opt(0).map(|utc| Value::object(super::modules::Zone::fixed(utc))),
            ("module", "time") => Some(Value::object(Self("time"))),
            ("time", "min") => Some(Value::object(Clock(NaiveTime::MIN))),
            ("time", "max") => {
                NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).map(|last| Value::object(Clock(last)))
            }
            ("module", "tzinfo" | "UTC" | "MINYEAR" | "MAXYEAR") => {
                return Err(Error::unsupported(format!("modules.datetime.{name}")).into());
            }
            _ => None,
        })
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        match self.0 {
            "timedelta" => {
                let part = |index: usize, name: &str| {
                    args.get(index, name).and_then(|v| v.number()).map_or(0.0, |n| n.float())
                };
                let seconds = part(0, "days") * 86_400.0
                    + part(1, "seconds")
                    + part(2, "microseconds") / 1e6
                    + part(3, "milliseconds") / 1e3
                    + part(4, "minutes") * 60.0
                    + part(5, "hours") * 3600.0
                    + part(6, "weeks") * 604_800.0;
                Ok(Value::object(Delta(Duration::microseconds((seconds * 1e6).round() as i64))))
            }
            "time" => {
                let (hour, minute, second) =
                    (int(&args, 0, "hour", 0), int(&args, 1, "minute", 0), int(&args, 2, "second", 0));
                let time = NaiveTime::from_hms_micro_opt(hour, minute, second, int(&args, 3, "microsecond", 0));
                let out_of_range = || Error::runtime("hour must be in 0..23, minute and second in 0..59");
                Ok(Value::object(Clock(time.ok_or_else(out_of_range)?)))
            }
            "datetime" | "date" => {
                let year = i32::try_from(args.int(0, "year", 0)).unwrap_or(0);
                let date = NaiveDate::from_ymd_opt(year, int(&args, 1, "month", 0), int(&args, 2, "day", 0));
                let (hour, minute) = (int(&args, 3, "hour", 0), int(&args, 4, "minute", 0));
                let time = NaiveTime::from_hms_micro_opt(
                    hour,
                    minute,
                    int(&args, 5, "second", 0),
                    int(&args, 6, "microsecond", 0),
                );
                match (date, time) {
                    (Some(date), Some(time)) => Ok(Value::object(Moment(date.and_time(time), None, self.0 == "date"))),
                    _ => Err(Error::runtime("day is out of range for month").into()),
                }
            }
            _ => Err(Error::unsupported(format!("modules.datetime.{}", self.0)).into()),
        }
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let unsupported = || Error::unsupported(format!("modules.datetime.{}.{name}", self.0));
        match (self.0, name) {
            ("module", _) => Ok(None),
            ("datetime", "now" | "utcnow" | "today") | ("date", "today") => {
                now(vm, name, self.0 == "date", args).map(Some)
            }
            ("datetime", "strptime") => {
                let (text, format) = (args.text(0, "date_string")?, args.text(1, "format")?);
                Ok(Some(Value::object(strptime(&text, &format)?)))
            }
            ("datetime", "combine") => {
                let (date, time) = (args.need(0, "date")?, args.need(1, "time")?);
                match (date.downcast::<Moment>(), time.downcast::<Clock>()) {
                    (Some(date), Some(time)) => {
                        Ok(Some(Value::object(Moment(date.0.date().and_time(time.0), None, false))))
                    }
                    _ => Err(Error::runtime("combine() takes a date and a time").into()),
                }
            }
            ("datetime" | "date", "fromisoformat") => {
                Ok(Some(Value::object(iso(&args.text(0, "date_string")?, self.0 == "date")?)))
            }
            _ => Err(unsupported().into()),
        }
    }
}

fn now(vm: &mut Vm<'_>, name: &str, date: bool, args: &Args) -> Outcome<Value> {
    let text = super::simple::run_value(vm, &format!("datetime.{name}()"), |run| run.started_at)?;
    let moment = Moment::parse_utc(if vm.phase == Phase::Run { &text } else { "" });
    let offset = args.get(0, "tz").and(moment.1);
    let time = if date { moment.0.date().and_time(NaiveTime::MIN) } else { moment.0 };
    Ok(Value::object(Moment(time, offset, date)))
}

fn strptime(text: &str, format: &str) -> Result<Moment, Error> {
    let failed = || Error::runtime(format!("time data '{text}' does not match format '{format}'"));
    let format = format.replace("%f", "%6f").replace(".%6f", "%.f");
    if format.contains("%z")
        && let Ok(moment) = DateTime::parse_from_str(text, &format)
    {
        return Ok(Moment(moment.naive_local(), Some(*moment.offset()), false));
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, &format) {
        return Ok(Moment(moment, None, false));
    }
    let date = NaiveDate::parse_from_str(text, &format)
        .or_else(|_| NaiveDate::parse_from_str(&format!("{text} 1"), &format!("{format} %d")));
    date.map(|date| Moment(date.and_time(NaiveTime::MIN), None, false)).map_err(|_| failed())
}

fn iso(text: &str, date: bool) -> Result<Moment, Error> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return Ok(Moment(moment.naive_local(), Some(*moment.offset()), false));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(Moment(moment, None, false));
        }
    }
    let parsed = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    parsed
        .map(|day| Moment(day.and_time(NaiveTime::MIN), None, date))
        .map_err(|_| Error::runtime(format!("Invalid isoformat string: '{text}'")))
}
