package kernel

var motionRules = map[string]rule{}
