"""What the ALB router must be allowed to do, as an IAM policy, and what to know before it is used."""

_OURS = ["LISTENER_ARN", "RULE_ARN"]
_ELB = "elasticloadbalancing"

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Look",
            "Effect": "Allow",
            "Action": [
                f"{_ELB}:DescribeListeners",
                f"{_ELB}:DescribeRules",
                f"{_ELB}:DescribeTags",
                f"{_ELB}:DescribeTargetHealth",
            ],
            # These calls know no permissions for single resources.
            "Resource": ["*"],
        },
        {
            "Sid": "ChangeTheActions",
            "Effect": "Allow",
            "Action": [f"{_ELB}:ModifyListener", f"{_ELB}:ModifyRule"],
            "Resource": _OURS,
        },
        {
            "Sid": "MarkThem",
            "Effect": "Allow",
            "Action": [f"{_ELB}:AddTags", f"{_ELB}:RemoveTags"],
            "Resource": _OURS,
            "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["bluegreen"]}},
        },
    ],
}
_ONE = (
    "of LISTENER_ARN and RULE_ARN leave only the one that the route names, with its Modify call and its Describe call: "
    "DescribeListeners and ModifyListener for a listener, DescribeRules and ModifyRule for a rule"
)
NOTES = (
    "the policy below, for the role or user whose credentials boto finds: environment, profile, or role of the machine",
    _ONE,
    "limits: 40 reads at once, refilled with 10 a second; a shift takes 6 requests, the first one 9",
    "know: a listener's rules come before its default action; each rule that forwards to blue is a route of its own",
)
