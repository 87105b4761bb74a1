module bluegreen.lab/operators

go 1.26

require (
	github.com/argoproj/argo-rollouts v1.8.3 // indirect
	github.com/argoproj/argo-workflows/v3 v3.6.10 // indirect
	github.com/openkruise/kruise v1.8.0 // indirect
	knative.dev/serving v0.44.0 // indirect
	sigs.k8s.io/jobset v0.8.1 // indirect
)
