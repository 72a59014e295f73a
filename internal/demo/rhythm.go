package demo

// Weights by hour of the day, for working days and weekends: thousandths of a
// busy hour. Machines that only people use sleep at night; domain controllers
// and servers have a floor, and the backup at two; the web shop is busiest in the
// evening.
var (
	officeDay  = [24]int{2, 2, 2, 2, 3, 10, 60, 250, 800, 1000, 950, 900, 600, 850, 950, 900, 750, 450, 150, 60, 30, 15, 8, 4}
	officeRest = [24]int{2, 2, 2, 2, 2, 2, 4, 8, 15, 20, 25, 20, 15, 20, 20, 15, 10, 8, 8, 6, 4, 4, 2, 2}
	serverDay  = [24]int{150, 150, 900, 600, 150, 150, 200, 350, 700, 900, 900, 850, 700, 800, 850, 800, 700, 500, 300, 220, 180, 160, 150, 150}
	serverRest = [24]int{150, 150, 900, 600, 150, 150, 150, 150, 160, 170, 170, 170, 160, 170, 170, 160, 160, 150, 150, 150, 150, 150, 150, 150}
	shopDay    = [24]int{200, 120, 80, 60, 60, 90, 180, 350, 500, 600, 650, 700, 750, 700, 650, 650, 700, 800, 900, 1000, 1000, 900, 650, 400}
	shopRest   = [24]int{300, 200, 130, 90, 80, 90, 140, 250, 450, 700, 850, 900, 900, 900, 900, 900, 900, 950, 1000, 1000, 1000, 950, 700, 450}
)

// rhythm gives the weight of an hour for a role.
func rhythm(r role, hour int, weekend bool) int {
	day, rest := &serverDay, &serverRest
	switch r {
	case workstation:
		day, rest = &officeDay, &officeRest
	case webServer:
		day, rest = &shopDay, &shopRest
	case controller, server:
	}
	if weekend {
		return rest[hour]
	}
	return day[hour]
}

// volume is how many events a machine of the role writes to a channel in a busy
// hour, in proportion.
var volume = [roles][channels]int{
	controller:  {security: 4000, system: 20, application: 8, sysmon: 160, powershell: 10},
	server:      {security: 500, system: 16, application: 8, sysmon: 120, powershell: 16},
	webServer:   {security: 260, system: 12, application: 10, sysmon: 160, powershell: 6},
	workstation: {security: 220, system: 14, application: 6, sysmon: 120, powershell: 8},
}
