"""Rules for secrets in commands, as printed by a shell's trace or history."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule, any_of

_LINE = rb"[^\n]"
_ARG = rb"[^\s\"'`;&|<>()*\\\x00-\x1f]"
"""Class of the bytes of a command-line argument."""
_ARG_FIRST = rb"[^\s\[\"'`;&|<>()*\\$%{\x00-\x1f-]"
_QUOTED = rb"[\"']?(" + _ARG_FIRST + _ARG + rb"{2})"

_SQL_VALUE = any_of(
    [
        rb"n?'([^\s'$%{<*?:][^\n'*]{2,200})'",
        rb"\"([^\s\"$%{<*?:][^\n\"*]{0,60}[0-9!@#^+][^\n\"*]{1,100})\"",
    ]
)


def _command(
    begins: tuple[bytes, ...],
    then: bytes,
    example: str,
    other: str,
    *,
    ignore_case: bool = False,
    anywhere: bool = False,
) -> Rule:
    """Return a rule: the commands, and the expression between them and the password."""
    return Rule(
        "command-password",
        begins,
        then + _QUOTED,
        _LINE,
        _ARG,
        example,
        other,
        ignore_case=ignore_case,
        anywhere=anywhere,
    )


_SOMEWHERE = rb"(?:[^\n|;]{0,300}[ \t])?"

COMMANDS: Final[tuple[Rule, ...]] = (
    _command(
        (b"mysql ", b"mysqldump ", b"mysqladmin ", b"mariadb ", b"mariadb-dump ", b"mysqlimport "),
        _SOMEWHERE + b"-p",
        "mysql -h db1 -uroot -p«Tr0ub4dor.3x» -e 'select 1'",
        "mysql -u root -p, mysql -P 3306 -u app -p db",
    ),
    _command(
        (b"redis-cli ",),
        _SOMEWHERE + rb"(?:-a|--pass)[ \t=]{1,4}",
        "redis-cli -h db -a «Tr0ub4dor.3x» ping",
        "redis-cli -a $PW ping",
    ),
    _command(
        (b"sshpass ",),
        rb"[ \t]{0,4}-p[ \t]{0,4}",
        "sshpass -p «Tr0ub4dor.3x» ssh root@h",
        "sshpass -p $PW ssh root@h, sshpass -e ssh",
    ),
    _command(
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
        _SOMEWHERE + rb"-p[ \t]{0,4}",
        "docker login -u ci -p «Tr0ub4dor.3x» reg.example.com",
        "docker login -u ci --password-stdin, docker login -p $PW",
    ),
    _command(
        (b"mongo ", b"mongosh ", b"mongodump ", b"mongorestore ", b"mongoexport ", b"mongoimport ")
        + (b"cqlsh ", b"racadm ", b"psexec ", b"psexec64 ", b"useradd ")
        + (b"usermod ",),
        _SOMEWHERE + rb"-p[ \t]{0,4}",
        "mongo -u admin -p «Tr0ub4dor.3x» --authenticationDatabase admin",
        "mongosh --port 27017, mongo -u admin -p, mongo --password $PW",
    ),
    _command(
        (b"sqlcmd ", b"bcp ", b"ipmitool ", b"zip ", b"unzip "),
        _SOMEWHERE + rb"-P[ \t]{0,4}",
        "sqlcmd -S db -U sa -P «Tr0ub4dor.3x» -Q 'select 1'",
        "ipmitool -H h -U root -P $PW power status, unzip -p a.zip name",
    ),
    _command(
        (b"ldapsearch ", b"ldapadd ", b"ldapmodify ", b"ldapdelete ", b"ldappasswd ")
        + (b"ldapwhoami ", b"ldapcompare "),
        _SOMEWHERE + rb"-w[ \t]{0,4}",
        "ldapsearch -x -D cn=admin -w «Tr0ub4dor.3x» -b dc=example",
        "ldapsearch -x -W -D cn=admin, ldapsearch -y /run/password",
    ),
    _command(
        (b"lftp ",),
        _SOMEWHERE + rb"-u[ \t]{1,4}[\"']?[^\s,]{1,60},",
        "lftp -u app,«Tr0ub4dor.3x» sftp://h",
        "lftp -u app sftp://h, lftp -e 'a, b'",
    ),
    _command(
        (b"rabbitmqctl ",),
        rb"(?:-[^\s]{1,40}[ \t]{1,4}){0,3}(?:add_user|change_password|authenticate_user)"
        rb"[ \t]{1,4}[^\s]{1,60}[ \t]{1,4}",
        "rabbitmqctl add_user app «Tr0ub4dor.3x»",
        "rabbitmqctl list_users, rabbitmqctl add_user app",
    ),
    _command(
        (b"nmcli ",),
        rb"[^\n|;]{1,200}[ \t](?:password|wifi-sec\.psk|[0-9a-z-]{1,40}\.psk)[ \t]{1,4}",
        "nmcli dev wifi connect net password «Tr0ub4dor.3x»",
        "nmcli dev wifi list, nmcli --ask dev wifi connect net",
    ),
    _command(
        (b"mc alias set ", b"mc config host add "),
        rb"[^\s]{1,60}[ \t]{1,4}[^\s]{1,200}[ \t]{1,4}[^\s]{3,60}[ \t]{1,4}",
        "mc alias set local http://h:9000 AKEXAMPLE «Tr0ub4dor.3x»",
        "mc alias set local http://h:9000, mc alias list",
    ),
    _command(
        (b"rclone obscure ", b"-passin pass:", b"-passout pass:", b"-pass pass:", b"/pass:"),
        rb"[ \t]{0,2}",
        "openssl pkcs12 -in a.p12 -passin pass:«Tr0ub4dor.3x» -nodes",
        "openssl rsa -passin file:/run/x, openssl rsa -passin pass:$PW",
        anywhere=True,
    ),
    _command(
        (b"schtasks ",),
        rb"[^\n]{0,300}/rp[ \t]{1,4}",
        "schtasks /create /ru app /rp «Tr0ub4dor.3x» /tn x",
        "schtasks /query, schtasks /create /ru SYSTEM",
        ignore_case=True,
    ),
    _command(
        (b"curl ", b"wget ", b"smbclient ", b"rpcclient ", b"etcdctl "),
        rb"(?:[^\n|;]{0,400}[ \t])?(?:-u|--user|-U|--proxy-user|-a)[ \t=]{0,4}[\"']?"
        rb"[^\s\"':$]{0,60}[:%]",
        "+ curl -u admin:«Tr0ub4dor.3x» https://x/",
        "curl -u admin:$PW https://x/, curl -u admin https://x:8080/",
    ),
    _command(
        (b"-creds ", b"-creds="),
        rb"[ \t]{0,3}[\"']?[^\s\"':$]{1,60}:",
        "skopeo copy --src-creds ci:«Tr0ub4dor.3x» a b",
        "skopeo copy --src-creds ci:$PW a b, --creds file",
        anywhere=True,
    ),
    _command(
        (b"ab ", b"ctr "),
        rb"(?:[a-z]{1,10}[ \t]{1,4}){0,3}(?:-A|--user)[ \t=]{1,4}[\"']?"
        rb"[A-Za-z][^\s\"':$]{0,60}:",
        "ctr images pull --user ci:«Tr0ub4dor.3x» reg.example.com/a",
        "ctr run --user 1000:1000 x, ab -A ci https://h/",
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
            b"bindpw ",
            b"rootpw ",
        ),
        rb"[ \t]{0,3}[\"']?("
        + _ARG_FIRST.replace(b"[^", b"[^0-9")
        + _ARG
        + rb"{0,60}?[0-9!@#^+~]"
        + _ARG
        + rb"{2}|[0-9]{6}|[0-9]{1,5}"
        # Not a version: `base-passwd 3.6.1`.
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
    Rule(
        "password-on-stdin",
        (b"echo ", b"printf "),
        rb"(?:-[neE]{1,3}[ \t])?[\"']?([^\s\"'|$*-][^\s\"'|$*]{2,100})[\"']?[ \t]{0,4}\|[ \t]{0,4}"
        rb"(?:sudo[ \t]{1,4}(?:-[A-Za-z]{1,4}[ \t]{1,4}){0,3}-[A-Za-z]{0,3}S"
        rb"|(?:sudo[ \t]{1,4})?(?:passwd[ \t][^\n|]{0,80}--stdin|kinit|cryptsetup|smbpasswd"
        rb"|gpg[ \t]|[a-z]{1,12}[ \t][^\n|]{0,120}--password-stdin))",
        rb"[ -~]",
        b"",
        "echo '«Tr0ub4dor.3x»' | sudo -S systemctl restart app",
        "echo $PW | sudo -S ls, echo done | sudo tee x, echo a b | passwd --stdin ci",
    ),
    Rule(
        "device-password",
        (b"enable password ", b"enable secret ", b"snmp-server community ", b"tacacs-server key ")
        + (b"radius-server key ",),
        rb"(?:[0-9][ \t]{1,2})?([^\s*<$][^\s]{3,80})",
        rb"[!-~ \t]",
        rb"[^\s*]",
        "snmp-server community «Tr0ub4dor.3x» RO",
        "enable password <word>, snmp-server community ****",
    ),
    Rule(
        "windows-password",
        (b"ConvertTo-SecureString ",),
        rb"(?:-[A-Za-z]{1,12}[ \t]{1,4}){0,2}[\"']([^\s\"'$%{<*][^\n\"'*]{2,100})[\"']",
        rb"[^\n]",
        b"",
        "ConvertTo-SecureString '«Tr0ub4dor.3x»' -AsPlainText -Force",
        "ConvertTo-SecureString $text -AsPlainText, ConvertTo-SecureString '$text'",
        ignore_case=True,
    ),
    Rule(
        "windows-password",
        (b"net user ",),
        rb"[^\s/]{1,60}[ \t]{1,4}([^\s/*\"'][^\s*\"']{2,60})[ \t]{1,4}/[a-z]",
        rb"[^\n]",
        b"",
        "net user app «Tr0ub4dor.3x» /add",
        "net user app /delete, net user app * /add, net user",
        ignore_case=True,
    ),
)
