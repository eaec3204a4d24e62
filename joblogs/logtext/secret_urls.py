"""Rules for secrets in URLs: passwords, tokens, signatures, and webhooks that are secret URLs."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule, any_of
from .secret_names import value_with
from .secret_tokens import DASHED, WORD

_DSN = rb"[^\s:/@\"'<>`\\*$\x00-\x1f]"
_HOST = rb"[^\x00-\x20/?@\"'<>`\\]"
_USER = rb"[^\x00-\x20/?#@:\"'<>`\\\[]{0,100}"
_PASS_FIRST = rb"[^\x00-\x20\[@\"<>`\\0-9$*{/?#,]"
_ANY = rb"[^\x00-\x20@\"<>`\\]"
_36 = "0123456789abcdefghijABCDEFGHIJ012345"
_40 = f"{_36}6789"
_HEX = "0123456789abcdef"
_UUID = "550e8400-e29b-41d4-a716-446655440000"

URLS: Final[tuple[Rule, ...]] = (
    Rule(
        "url-token",
        (b"://",),
        b"("
        + value_with((rb"[A-Za-z_~-]",) * 2, (rb"[0-9]",) * 2, rb"[0-9A-Za-z_~-]", 20)
        + rb"[0-9A-Za-z_~-]{0,200})(?::x-oauth-basic|:)?@",
        rb"[0-9A-Za-z_.~-]",
        b"",
        "https://«0123456789abcdef0123456789abcdef01234567»@git.example.com/x",
        "https://user1@host/, ssh://ci-2@host, spark://CoarseGrainedScheduler@10.0.0.1",
        anywhere=True,
    ),
    Rule(
        "url-password",
        (b"://",),
        _USER
        + rb":("
        + any_of(
            [
                # A text that begins like a port is a port if the host ends after it.
                rb"[0-9]{1,200}(?:[^\x00-\x20\[@\"<>`\\0-9$*{/?#,:]" + _ANY + rb"{0,200})?",
                _PASS_FIRST + _ANY + rb"{0,200}",
            ]
        )
        + rb")@",
        _ANY,
        b"",
        "postgresql://joblogs:«s3cr3t!»@db:5432/x",
        "http://db:8080/a@b, ssh://git@host:22, http://a:b, c@d, http://[::1]:80/a@b",
        unfinished=_USER + rb"(?::" + _ANY + rb"{0,200})?",
        again=rb"(@" + _HOST + rb"{1,200})@",
        going=rb"@" + _HOST + rb"{0,200}",
        anywhere=True,
    ),
    Rule(
        "azure-signature",
        (b"?sig=", b"&sig=", b"&amp;sig="),
        rb"[0-9A-Za-z%+/=_-]{30}",
        rb"[0-9A-Za-z%+/=_-]",
        rb"[0-9A-Za-z%+/=_-]",
        "https://a.blob.core.windows.net/c?sv=1&sig=«0123456789abcdefghijABCDEFGHIJ01%3D»",
        "?sig=short",
    ),
    Rule(
        "aws-security-token",
        (b"X-Amz-Security-Token=",),
        rb"[0-9A-Za-z%+/=_-]{30}",
        rb"[0-9A-Za-z%+/=_-]",
        rb"[0-9A-Za-z%+/=_-]",
        "?X-Amz-Security-Token=«0123456789abcdef0123456789abcdef»",
        "X-Amz-Security-Token=x",
        anywhere=True,
    ),
    Rule(
        "request-signature",
        (b"Signature=",),
        rb"[\"']?([0-9A-Za-z%+/=_-]{26})",
        rb"[0-9A-Za-z%+/=_\"'-]",
        rb"[0-9A-Za-z%+/=_-]",
        "SignedHeaders=host, Signature=«0123456789abcdef0123456789abcdef»",
        "Signature=none",
        anywhere=True,
    ),
    Rule(
        "oracle-password",
        (b"jdbc:oracle:thin:", b"jdbc:oracle:oci:", b"sqlplus ", b"sqlldr ", b"userid="),
        rb"(?:-[A-Za-z]{1,10} ){0,3}[0-9A-Za-z_]{1,60}/([^\x00-\x20@\"'/]{1,100})@",
        rb"[!-~ ]",
        b"",
        "jdbc:oracle:thin:app/«hunter2»@db:1521/x",
        "jdbc:oracle:thin:@db:1521/x, sqlplus /nolog @a.sql",
        ignore_case=True,
    ),
    Rule(
        "dsn-password",
        (b":",),
        rb"([A-Za-z!#%^&+~_.-]" + _DSN + rb"{0,100})@(?:tcp|unix)\(",
        _DSN,
        b"",
        "root:«Tr0ub4dor.3x»@tcp(db:3306)/app",
        "mail:ci@tcp.example.com, root@tcp(db:3306)/app",
        unfinished=rb"(?:[A-Za-z!#%^&+~_.-]" + _DSN + rb"{0,100}(?:@[a-z]{0,4})?)?",
    ),
)


WEBHOOKS: Final[tuple[Rule, ...]] = (
    Rule(
        "slack-webhook",
        (b"hooks.slack.com/",),
        rb"(?:services|workflows|triggers)/([TE][0-9A-Za-z_]{6,14}/[0-9A-Za-z_]{6,24}/[0-9A-Za-z/]{20})",
        rb"[0-9A-Za-z_/]",
        rb"[0-9A-Za-z/]",
        "POST https://hooks.slack.com/services/«T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX»",
        "hooks.slack.com/services/TEAM/CHANNEL",
    ),
    Rule(
        "discord-webhook",
        (b"discord.com/api/", b"discordapp.com/api/"),
        rb"(?:v[0-9]{1,2}/)?webhooks/([0-9]{16,20}/[0-9A-Za-z_-]{40})",
        rb"[0-9A-Za-z_/-]",
        DASHED,
        f"https://discord.com/api/webhooks/«123456789012345678/{_40}{_36}»",
        "https://discord.com/api/webhooks/123456789012345678/x",
    ),
    Rule(
        "feishu-webhook",
        (b"/open-apis/bot/",),
        rb"(?:v2/)?hook/([0-9A-Za-z-]{24})",
        rb"[0-9A-Za-z/-]",
        rb"[0-9A-Za-z-]",
        f"https://open.feishu.cn/open-apis/bot/v2/hook/«{_UUID}»",
        "https://open.feishu.cn/open-apis/bot/v2/hook/xxx",
    ),
    Rule(
        "dingtalk-webhook",
        (b"/robot/send?access_token=", b"/robot/sendBySession?session="),
        rb"[0-9A-Za-z]{32}",
        WORD,
        WORD,
        f"https://oapi.dingtalk.com/robot/send?access_token=«{_HEX * 4}»",
        "/robot/send?access_token=xxx",
    ),
    Rule(
        "wecom-webhook",
        (b"/cgi-bin/webhook/send?key=", b"/cgi-bin/webhook/upload_media?key="),
        rb"[0-9A-Za-z-]{24}",
        rb"[0-9A-Za-z-]",
        rb"[0-9A-Za-z-]",
        f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=«{_UUID}»",
        "/cgi-bin/webhook/send?key=KEY",
    ),
    Rule(
        "teams-webhook",
        (b".webhook.office.com/webhook", b"outlook.office.com/webhook"),
        rb"(?:b2)?/([0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{20})",
        rb"[0-9A-Za-z@/-]",
        rb"[0-9A-Za-z/-]",
        "https://x.webhook.office.com/webhookb2/"
        f"«{_UUID}@{_UUID}/IncomingWebhook/{_HEX * 2}/{_UUID}»",
        "https://x.webhook.office.com/webhookb2/id",
        anywhere=True,
    ),
)
"""Rules for URLs to which everybody who knows them may post."""
