"""What the Route 53 router must be allowed to do, as an IAM policy, and what to know before it is used."""

ZONE = "arn:aws:route53:::hostedzone/ZONE_ID"
_KEY = "route53:ChangeResourceRecordSets"

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "ReadTheZone",
            "Effect": "Allow",
            "Action": ["route53:ListResourceRecordSets"],
            "Resource": [ZONE],
        },
        {
            "Sid": "ReplaceTheRecordAndItsMark",
            "Effect": "Allow",
            "Action": ["route53:ChangeResourceRecordSets"],
            "Resource": [ZONE],
            "Condition": {
                "ForAllValues:StringEquals": {
                    f"{_KEY}NormalizedRecordNames": ["RECORD_NAME", "_bluegreen.RECORD_NAME"],
                    f"{_KEY}RecordTypes": ["A", "AAAA", "CNAME", "TXT"],
                    f"{_KEY}Actions": ["CREATE", "DELETE"],
                }
            },
        },
        {
            "Sid": "AskWhetherAChangeIsServed",
            "Effect": "Allow",
            "Action": ["route53:GetChange"],
            "Resource": ["arn:aws:route53:::change/*"],
        },
    ],
}
_LIMITS = (
    "limits: 10 requests a second for the account; a shift takes 5 (4 to look and read back, 1 to write), its settling "
    "at most 3 a second; a shift is 6 changes, 10 with A and AAAA"
)
_ZERO = (
    "know: with health checks or EvaluateTargetHealth, a record of weight 0 is answered once all others are unhealthy: "
    "green then gets users at 0 %; leave the records without them until the migration has ended, or accept it"
)
NOTES = (
    "the policy below, for the role or user whose credentials boto finds: environment, profile, or role of the machine",
    "in place of RECORD_NAME the name in lower case without the last dot; * is written \\052",
    _LIMITS,
    _ZERO,
)
