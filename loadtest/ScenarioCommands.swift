import ArgumentParser

// Each scenario as a subcommand; what they do is in `Scenario` and the parts of a `LoadRun`.

struct ClassCommand: ScenarioCommand {
  static let scenario = Scenario.classroom
  static let configuration = describe(
    "A class: an hour in a minute.",
    """
    People wait before the door, come late, talk in bursts, switch their microphones, leave early, step out and come back, \
    close the tab, lose the connection, read slowly; a tenth loses the network at the same moment. Then the host ends the class, \
    and the attendance report is held against what everybody did.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct FanoutCommand: ScenarioCommand {
  static let scenario = Scenario.fanout
  static let configuration = describe(
    "Everybody hears every message.",
    """
    One speaks, all listen: what a message costs the server for each who gets it.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct StormCommand: ScenarioCommand {
  static let scenario = Scenario.storm
  static let configuration = describe(
    "Everybody comes at once.",
    """
    As many joins under way as there are people: how long who comes has to wait, and what a join costs.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct RelayCommand: ScenarioCommand {
  static let scenario = Scenario.relay
  static let configuration = describe(
    "Signals between pairs, there and back.",
    """
    What WebRTC needs: each signal goes to the partner alone, who sends it back.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct IdleCommand: ScenarioCommand {
  static let scenario = Scenario.idle
  static let configuration = describe(
    "Many connections on which nothing happens.",
    """
    What an attendee costs who only sits there, and whether pings keep everybody.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct ChurnCommand: ScenarioCommand {
  static let scenario = Scenario.churn
  static let configuration = describe(
    "People come and go all the time.",
    """
    Three of four leave and come back, the fourth loses the connection and resumes. In the end everybody leaves: with \
    --server-pid the server must have no more files open than before, and the attendance of many stays must add up.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct SlowReadersCommand: ScenarioCommand {
  static let scenario = Scenario.slowReaders
  static let configuration = describe(
    "Some read nothing for a while.",
    """
    A fifth stops reading in a busy session. The server may close them with 4001; they come back, and nobody else is to notice.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct HerdCommand: ScenarioCommand {
  static let scenario = Scenario.herd
  static let configuration = describe(
    "Everybody loses the connection at once, and comes back.",
    """
    The tester resets all connections in one moment. With --await-restart it is the server that goes, and somebody else who \
    starts it again.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}

struct MixCommand: ScenarioCommand {
  static let scenario = Scenario.mix
  static let configuration = describe(
    "Chat and signals, as the options say.",
    """
    What no other scenario covers; the scenario when none is named.
    """)

  @OptionGroup(title: "Server") var server: ServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}
