package event

// Level is the severity of a Windows event as the event carries it.
type Level uint8

// The levels that winmeta.xml defines. Providers may define others (16–255).
const (
	LevelLogAlways   Level = 0
	LevelCritical    Level = 1
	LevelError       Level = 2
	LevelWarning     Level = 3
	LevelInformation Level = 4
	LevelVerbose     Level = 5
)

// String gives the English name that Event Viewer and Sentinel's EventLevelName
// show; "" for levels that only the provider names.
func (l Level) String() string {
	switch l {
	case LevelLogAlways, LevelInformation:
		return "Information"
	case LevelCritical:
		return "Critical"
	case LevelError:
		return "Error"
	case LevelWarning:
		return "Warning"
	case LevelVerbose:
		return "Verbose"
	}
	return ""
}

// Channels that Wadi treats specially, by their full Windows names.
const (
	ChannelSecurity    = "Security"
	ChannelSystem      = "System"
	ChannelApplication = "Application"
	ChannelForwarded   = "ForwardedEvents"
	ChannelSysmon      = "Microsoft-Windows-Sysmon/Operational"
)
