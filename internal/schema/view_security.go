package schema

import "strings"

// securityStored are SecurityEvent's texts that have a column of EventData.
const securityStored = `
	AccessMask AccountDomain AccountName AdditionalInfo AllowedToDelegateTo AuditPolicyChanges AuthenticationPackageName CallerProcessId
	CallerProcessName CommandLine DisplayName ElevatedToken FailureReason GroupMembership HandleId IpAddress IpPort LmPackageName LogonGuid
	LogonID LogonProcessName MandatoryLabel MemberName MemberSid NewProcessId NewProcessName NewUacValue NewValue ObjectName ObjectServer
	ObjectType ObjectValueName OldUacValue OldValue OperationType PackageName ParentProcessName PasswordLastSet PrivilegeList ProcessId
	ProcessName Properties RelativeTargetName RestrictedAdminMode SamAccountName ServiceAccount ServiceFileName ServiceName ServiceType
	ShareLocalPath ShareName SidHistory Status SubcategoryGuid SubjectDomainName SubjectLogonId SubjectUserName SubjectUserSid SubStatus
	TargetDomainName TargetInfo TargetLinkedLogonId TargetLogonId TargetOutboundDomainName TargetOutboundUserName TargetServerName TargetSid
	TargetUserName TargetUserSid TokenElevationType TransmittedServices UserAccountControl UserPrincipalName VirtualAccount Workstation
	WorkstationName
`

// securityFromXML are SecurityEvent's texts that are rare in real logs: they are
// read from the event's text when a question names them.
const securityFromXML = `
	AccountExpires AccountSessionIdentifier AdditionalInfo2 Attributes AuthenticationProvider AuthenticationServer AuthenticationType
	CACertificateHash CalledStationID CallingStationID CAPublicKeyHash CategoryId CertificateDatabaseHash ClassId ClassName ClientAddress
	ClientIPAddress ClientName CompatibleIds DCDNSName DeviceDescription DeviceId Disposition DomainBehaviorVersion DomainName
	DomainPolicyChanged DomainSid EAPType ExtendedQuarantineState Filter ForceLogoff FullyQualifiedSubjectMachineName
	FullyQualifiedSubjectUserName HardwareIds HomeDirectory HomePath InterfaceUuid LocationInformation LockoutDuration LockoutObservationWindow
	LockoutThreshold LoggingResult LogonHours MachineAccountQuota MachineLogon MaxPasswordAge MinPasswordAge MinPasswordLength MixedDomainMode
	NASIdentifier NASIPv4Address NASIPv6Address NASPort NASPortType NetworkPolicyName NewDate NewMaxUsers NewRemark NewShareFlags NewTime
	NewValueType OemInformation OldMaxUsers OldRemark OldShareFlags OldValueType PasswordHistoryLength PasswordProperties PreviousDate
	PreviousTime PrimaryGroupId PrivateKeyUsageCount ProfilePath ProtocolSequence ProxyPolicyName QuarantineHelpURL QuarantineSessionID
	QuarantineSessionIdentifier QuarantineState QuarantineSystemHealthResult RemoteIpAddress RemotePort Requester RequestId RowsDeleted
	ScriptPath SecurityDescriptor SessionName SubcategoryId Subject SubjectKeyIdentifier SubjectMachineName SubjectMachineSID TableId
	TargetLogonGuid TargetUser TemplateContent TemplateDSObjectFQDN TemplateInternalName TemplateOID TemplateSchemaVersion TemplateVersion
	UserParameters UserWorkstations VendorIds
`

// Who an event is about. Logons are about the account that logged on, other
// events about the account that acted, where they name one.
const (
	exprByTarget = `(EventID in (4624, 4625) or isempty(SubjectUserName) or SubjectUserName == "-")`
	exprUser     = `iff(` + exprByTarget + `, TargetUserName, SubjectUserName)`
	exprAccount  = `iff(` + exprByTarget + `, ` + exprTarget + `, ` + exprSubject + `)`
	// exprTarget is domain\user; 4776 names no domain. An account without a
	// domain begins with the backslash, as in Sentinel.
	exprTarget  = `case(isempty(TargetUserName) and isempty(TargetDomainName), "", EventID == 4776, TargetUserName, strcat(TargetDomainName, "\\", TargetUserName))`
	exprSubject = `iff(isempty(SubjectUserName) and isempty(SubjectDomainName), "", strcat(SubjectDomainName, "\\", SubjectUserName))`

	exprAccountType = `case(isempty(` + exprUser + `), "", substring(` + exprUser + `, strlen(` + exprUser + `) - 1, 1) == "$", "Machine", "User")`

	exprProcess = `extract(@"([^\\]*)$", 1, iff(isempty(NewProcessName), ProcessName, NewProcessName))`

	exprLogonTypeName = `case(LogonType == "0", "0 - System", LogonType == "2", "2 - Interactive", LogonType == "3", "3 - Network", LogonType == "4", "4 - Batch", ` +
		`LogonType == "5", "5 - Service", LogonType == "7", "7 - Unlock", LogonType == "8", "8 - NetworkCleartext", LogonType == "9", "9 - NewCredentials", ` +
		`LogonType == "10", "10 - RemoteInteractive", LogonType == "11", "11 - CachedInteractive", LogonType == "12", "12 - CachedRemoteInteractive", ` +
		`LogonType == "13", "13 - CachedUnlock", LogonType)`

	// exprAuditLevel is the classic event type of audits, by their keyword:
	// 0x8020000000000000 success, 0x8010000000000000 failure.
	exprAuditLevel = `case(Keywords == -9214364837600034816, "8", Keywords == -9218868437227405312, "16", tostring(Level))`
)

const docAppLocker = "Value of AppLocker's events, which Wadi keeps in Event."

var securityEvent = &View{
	Name:   "SecurityEvent",
	Table:  WindowsEvents,
	Filter: picks("SecurityEvent"),
	Doc:    "Events of channel Security with Sentinel's columns.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(WindowsEvents, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"OpsManager"`, docSourceSys),
		computed("Account", String, exprAccount, "Account the event is about, domain\\user: the one that logged on, else the one that acted."),
		computed("AccountType", String, exprAccountType, "Machine for account names that end with $, else User."),
		stored(WindowsEvents, "Computer", String),
		storedAs(WindowsEvents, "EventSourceName", String, "Provider"),
		stored(WindowsEvents, "Channel", String),
		stored(WindowsEvents, "Task", Int),
		computed("Level", String, exprAuditLevel, "8 for audits of success, 16 for audits of failure, else the level."),
		computed("EventData", String, eventDataAsSentinel, "EventData as XML, as Sentinel shows it."),
		stored(WindowsEvents, "EventID", Int),
		computed("Activity", String, exprActivity, "Number and title of the event."),
		computed("LogonTypeName", String, exprLogonTypeName, "Number and name of the logon type."),
		computed("Process", String, exprProcess, "File name of the process, the new one where there is one."),
		computed("SubjectAccount", String, exprSubject, "Account that acted, domain\\user."),
		computed("TargetAccount", String, exprTarget, "Account it was done to, domain\\user."),
		stored(WindowsEvents, "ErrorCode", Int),
		stored(WindowsEvents, "KeyLength", Int),
		stored(WindowsEvents, "LogonType", Int),
		stored(WindowsEvents, "ServiceStartType", Int),
		fromXML("AuditsDiscarded", Int),
		fromXML("AuthenticationLevel", Int),
		fromXML("AuthenticationService", Int),
	}, securityTexts(), []ViewColumn{
		absent("FileHash", String, docAppLocker),
		absent("FilePath", String, docAppLocker),
		absent("FilePathNoUser", String, docAppLocker),
		absent("Fqbn", String, docAppLocker),
		fromXML("MachineInventory", String),
		absent("AzureDeploymentID", String, docDeployment),
		absent("StorageAccount", String, docStorage),
		absent("SourceComputerId", String, "Identifier of Microsoft's agent on the computer."),
		absent("ManagementGroupName", String, docManagement),
	}, azureColumns(WindowsEvents, "SecurityEvent"), wadiColumns(WindowsEvents)),
}

func securityTexts() []ViewColumn {
	var cols []ViewColumn
	for name := range strings.FieldsSeq(securityStored) {
		cols = append(cols, stored(WindowsEvents, name, String))
	}
	for name := range strings.FieldsSeq(securityFromXML) {
		cols = append(cols, fromXML(name, String))
	}
	return cols
}
