"""Secrets in commands as a shell's trace or a history prints them."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule, any_of

_LINE = rb"[^\n]"
_ARG = rb"[^\s\"'`;&|<>()*\\\x00-\x1f]"
"""What an argument of a command line is made of."""
_ARG_FIRST = rb"[^\s\[\"'`;&|<>()*\\$%{\x00-\x1f-]"
_QUOTED = rb"[\"']?(" + _ARG_FIRST + _ARG + rb"{2})"

_SQL_VALUE = any_of(
    [
        rb"'([^\s'$%{<*?:][^\n'*]{2,200})'",
        rb"\"([^\s\"$%{<*?:][^\n\"*]{0,60}[0-9!@#^+][^\n\"*]{1,100})\"",
    ]
)

COMMANDS: Final[tuple[Rule, ...]] = (
    Rule(
        "command-password",
        (b"mysql ", b"mysqldump ", b"mysqladmin ", b"mariadb ", b"mariadb-dump ", b"mysqlimport "),
        rb"(?:[^\n|;]{0,300}[ \t])?-p" + _QUOTED,
        _LINE,
        _ARG,
        "mysql -h db1 -uroot -p«Tr0ub4dor.3x» -e 'select 1'",
        "mysql -u root -p, mysql -P 3306 -u app -p db",
    ),
    Rule(
        "command-password",
        (b"redis-cli ",),
        rb"(?:[^\n|;]{0,300}[ \t])?(?:-a|--pass)[ \t=]{1,4}" + _QUOTED,
        _LINE,
        _ARG,
        "redis-cli -h db -a «Tr0ub4dor.3x» ping",
        "redis-cli -a $PW ping",
    ),
    Rule(
        "command-password",
        (b"sshpass ",),
        rb"[ \t]{0,4}-p[ \t]{0,4}" + _QUOTED,
        _LINE,
        _ARG,
        "sshpass -p «Tr0ub4dor.3x» ssh root@h",
        "sshpass -p $PW ssh root@h, sshpass -e ssh",
    ),
    Rule(
        "command-password",
        (
            b"docker login ",
            b"podman login ",
            b"nerdctl login ",
            b"registry login ",
            b"buildah login ",
            b"skopeo login ",
            b"oc login ",
            b"az login ",
            b"cf login ",
            b"crane auth login ",
        ),
        rb"(?:[^\n|;]{0,300}[ \t])?"
        rb"-p[ \t]{0,4}" + _QUOTED,
        _LINE,
        _ARG,
        "docker login -u ci -p «Tr0ub4dor.3x» reg.example.com",
        "docker login -u ci --password-stdin, docker login -p $PW",
    ),
    Rule(
        "command-password",
        (b"curl ", b"wget ", b"smbclient ", b"rpcclient "),
        rb"(?:[^\n|;]{0,400}[ \t])?(?:-u|--user|-U|--proxy-user|-a)[ \t=]{0,4}[\"']?"
        rb"[^\s\"':$]{0,60}[:%](" + _ARG_FIRST + _ARG + rb"{2})",
        _LINE,
        _ARG,
        "+ curl -u admin:«Tr0ub4dor.3x» https://x/",
        "curl -u admin:$PW https://x/, curl -u admin https://x:8080/",
    ),
    Rule(
        "command-option",
        (
            b"-password ",
            b"-passwd ",
            b"-passphrase ",
            b"-token ",
            b"-secret ",
            b"-api-key ",
            b"-access-key ",
            b"-secret-key ",
            b"-pass ",
            b"-apikey ",
            b"-auth-token ",
            b"-pw ",
            b"-requirepass ",
            b"-storepass ",
            b"-keypass ",
            b"requirepass ",
            b"masterauth ",
        ),
        rb"[ \t]{0,3}[\"']?("
        + _ARG_FIRST.replace(b"[^", b"[^0-9")
        + _ARG
        + rb"{0,60}?[0-9!@#^+~]"
        + _ARG
        + rb"{2}|[0-9]{6}|[0-9]{1,5}"
        # No version: `base-passwd 3.6.1`.
        + _ARG.replace(b"[^", rb"[^0-9.:~+\-")
        + _ARG
        + rb"{3})",
        _LINE,
        _ARG,
        "app --password «Tr0ub4dor.3x» --user x",
        "--token FILE, --password <password>, --secret $X, -password stdin, base-passwd 3.6.1",
        ignore_case=True,
        anywhere=True,
        assignment=True,
    ),
    Rule(
        "sql-password",
        (
            b"identified by",
            b"identified with",
            b"with password",
            b"encrypted password",
        ),
        rb"(?:[ \t]{1,4}[0-9a-z_@'%]{1,40}){0,4}[ \t]{0,4}(?:=[ \t]?)?" + _SQL_VALUE,
        _LINE,
        b"",
        "CREATE USER 'app'@'%' IDENTIFIED BY '«Tr0ub4dor.3x»';",
        "IDENTIFIED BY '$PW', with password authentication",
        ignore_case=True,
    ),
    Rule(
        "sql-password",
        (b"set password",),
        rb"(?:[ \t]{1,4}for[ \t]{1,4}[^\s=]{1,100})?[ \t]{0,4}=[ \t]{0,4}(?:password[ \t]?\()?"
        + _SQL_VALUE,
        _LINE,
        b"",
        "SET PASSWORD FOR 'app'@'%' = '«Tr0ub4dor.3x»';",
        "Set password for 'app'@'h', SET PASSWORD = '$PW'",
        ignore_case=True,
    ),
    Rule(
        "net-use-password",
        (b"net use ",),
        rb"[A-Za-z*]:?[ \t]{1,4}\\\\[^\s]{1,120}[ \t]{1,4}"
        rb"(?:/user:[^\s]{1,60}[ \t]{1,4})?([^\s/*][^\s]{0,60})",
        _LINE,
        rb"[^\s*]",
        "net use Z: \\\\srv\\share «Tr0ub4dor.3x» /user:corp\\ci",
        "net use Z: \\\\srv\\share /user:corp\\ci",
        ignore_case=True,
    ),
    Rule(
        "chpasswd",
        (b"echo ", b"printf "),
        rb"[\"']?[A-Za-z_][0-9A-Za-z_.-]{0,31}:([^\s\"'|$]{1,100})[\"']?"
        rb"[ \t]{0,4}\|[ \t]{0,4}(?:sudo[ \t])?chpasswd",
        rb"[ -~]",
        b"",
        "echo 'root:«Tr0ub4dor.3x»' | chpasswd",
        "echo 'root:$PW' | chpasswd, echo a:b | cat",
    ),
)
