package schema

import "strings"

// named shows the physical columns of these names with their types.
func named(t *Table, names string) []ViewColumn {
	var cols []ViewColumn
	for name := range strings.FieldsSeq(names) {
		cols = append(cols, stored(t, name, t.Column(name).KQL))
	}
	return cols
}

var syslogView = &View{
	Name:   "Syslog",
	Table:  Syslogs,
	Filter: picks("Syslog"),
	Doc:    "Syslog messages.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(Syslogs, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"Linux"`, docSourceSys),
	}, named(Syslogs, `
		Computer EventTime Facility HostIP HostName ProcessID ProcessName SeverityLevel SyslogMessage
	`), azureColumns(Syslogs, "Syslog"), wadiColumns(Syslogs)),
}

var perfView = &View{
	Name:   "Perf",
	Table:  Perfs,
	Filter: picks("Perf"),
	Doc:    "Performance counters.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(Perfs, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"OpsManager"`, docSourceSys),
	}, named(Perfs, `
		BucketEndTime BucketStartTime Computer CounterName CounterPath CounterValue InstanceName Max Min ObjectName SampleCount StandardDeviation
	`), azureColumns(Perfs, "Perf"), wadiColumns(Perfs)),
}

var signinLogs = &View{
	Name:   "SigninLogs",
	Table:  Signin,
	Filter: picks("SigninLogs"),
	Doc:    "Interactive sign-ins of users to Entra ID.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(Signin, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"Azure AD"`, docSourceSys),
	}, named(Signin, `
		AADTenantId AlternateSignInName AppDisplayName AppId AppliedConditionalAccessPolicies AppliedEventListeners
		AuthenticationContextClassReferences AuthenticationDetails AuthenticationMethodsUsed AuthenticationProcessingDetails AuthenticationProtocol
		AuthenticationRequirement AuthenticationRequirementPolicies AutonomousSystemNumber Category ClientAppUsed ConditionalAccessPolicies
		ConditionalAccessStatus CorrelationId CreatedDateTime CrossTenantAccessType DeviceDetail DurationMs FlaggedForReview HomeTenantId Id
		Identity IPAddress IPAddressFromResourceProvider IsInteractive IsRisky Level Location LocationDetails MfaDetail NetworkLocationDetails
		OperationName OperationVersion OriginalRequestId ProcessingTimeInMilliseconds Resource ResourceDisplayName ResourceGroup ResourceId
		ResourceIdentity ResourceProvider ResourceServicePrincipalId ResourceTenantId ResultDescription ResultSignature ResultType RiskDetail
		RiskEventTypes RiskEventTypes_V2 RiskLevel RiskLevelAggregated RiskLevelDuringSignIn RiskState ServicePrincipalId ServicePrincipalName
		SessionLifetimePolicies SignInIdentifier SignInIdentifierType Status TokenIssuerName TokenIssuerType UniqueTokenIdentifier UserAgent
		UserDisplayName UserId UserPrincipalName UserType SessionId
	`), azureColumns(Signin, "SigninLogs"), wadiColumns(Signin)),
}

var nonInteractiveSignins = &View{
	Name:   "AADNonInteractiveUserSignInLogs",
	Table:  Signin,
	Filter: picks("AADNonInteractiveUserSignInLogs"),
	Doc:    "Sign-ins of clients on behalf of users to Entra ID.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(Signin, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"Azure AD"`, docSourceSys),
	}, named(Signin, `
		AlternateSignInName AppDisplayName AppId AppliedEventListeners AuthenticationContextClassReferences AuthenticationDetails
		AuthenticationMethodsUsed AuthenticationProcessingDetails AuthenticationProtocol AuthenticationRequirement AuthenticationRequirementPolicies
		AutonomousSystemNumber Category ClientAppUsed ConditionalAccessStatus CorrelationId CreatedDateTime CrossTenantAccessType DurationMs
		HomeTenantId Id Identity IPAddress IsInteractive IsRisky Level Location NetworkLocationDetails OperationName OperationVersion
		OriginalRequestId ProcessingTimeInMs ResourceDisplayName ResourceGroup ResourceIdentity ResourceServicePrincipalId ResourceTenantId
		ResultDescription ResultSignature ResultType RiskDetail RiskEventTypes RiskEventTypes_V2 RiskLevelAggregated RiskLevelDuringSignIn RiskState
		ServicePrincipalId SessionLifetimePolicies SignInEventTypes SignInIdentifierType TokenIssuerName TokenIssuerType UniqueTokenIdentifier
		UserAgent UserDisplayName UserId UserPrincipalName UserType
	`), []ViewColumn{
		stored(Signin, "ConditionalAccessPolicies", String),
		stored(Signin, "DeviceDetail", String),
		stored(Signin, "LocationDetails", String),
		stored(Signin, "MfaDetail", String),
		stored(Signin, "Status", String),
	}, azureColumns(Signin, "AADNonInteractiveUserSignInLogs"), wadiColumns(Signin)),
}

var auditLogs = &View{
	Name:   "AuditLogs",
	Table:  AADAudit,
	Filter: picks("AuditLogs"),
	Doc:    "Changes in Entra ID.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(AADAudit, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"Azure AD"`, docSourceSys),
	}, named(AADAudit, `
		AADOperationType AADTenantId ActivityDateTime ActivityDisplayName AdditionalDetails Category CorrelationId DurationMs Id Identity
		InitiatedBy Level Location LoggedByService OperationName OperationVersion Resource ResourceGroup ResourceId ResourceProvider Result
		ResultDescription ResultReason ResultSignature ResultType TargetResources
	`), azureColumns(AADAudit, "AuditLogs"), wadiColumns(AADAudit)),
}

var azureActivityView = &View{
	Name:   "AzureActivity",
	Table:  AzureActivities,
	Filter: picks("AzureActivity"),
	Doc:    "Operations on Azure resources.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(AzureActivities, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"Azure"`, docSourceSys),
	}, named(AzureActivities, `
		ActivityStatus ActivityStatusValue ActivitySubstatus ActivitySubstatusValue Authorization Authorization_d Caller CallerIpAddress Category
		CategoryValue Claims Claims_d CorrelationId EventDataId EventSubmissionTimestamp Hierarchy HTTPRequest Level OperationId OperationName
		OperationNameValue Properties Properties_d Resource ResourceGroup ResourceId ResourceProvider ResourceProviderValue SubscriptionId
	`), azureColumns(AzureActivities, "AzureActivity"), wadiColumns(AzureActivities)),
}

var securityAlert = &View{
	Name:   "SecurityAlert",
	Table:  Alerts,
	Filter: picks("SecurityAlert"),
	Doc:    "Alerts of Wadi and of other products.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(Alerts, "TimeGenerated", DateTime),
	}, named(Alerts, `
		AlertLink AlertName AlertSeverity CompromisedEntity ConfidenceLevel ConfidenceScore Description DisplayName EndTime Entities ExtendedLinks
		ExtendedProperties IsIncident ProcessingEndTime ProductComponentName ProductName ProviderName RemediationSteps ResourceId SourceComputerId
		StartTime Status SystemAlertId Tactics Techniques VendorName VendorOriginalId WorkspaceResourceGroup WorkspaceSubscriptionId
	`), azureColumns(Alerts, "SecurityAlert"), wadiColumns(Alerts)),
}

var heartbeatView = &View{
	Name:   "Heartbeat",
	Table:  Heartbeats,
	Filter: picks("Heartbeat"),
	Doc:    "Signs of life of agents.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(Heartbeats, "TimeGenerated", DateTime),
		constant("SourceSystem", String, `"OpsManager"`, docSourceSys),
		absent("ManagementGroupName", String, docManagement),
	}, named(Heartbeats, `
		Category Computer ComputerEnvironment ComputerIP IsGatewayInstalled OSMajorVersion OSMinorVersion OSName OSType RemoteIPCountry
		RemoteIPLatitude RemoteIPLongitude Resource ResourceGroup ResourceId ResourceProvider ResourceType SCAgentChannel Solutions SubscriptionId
		Version VMUUID
	`), azureColumns(Heartbeats, "Heartbeat"), wadiColumns(Heartbeats)),
}
