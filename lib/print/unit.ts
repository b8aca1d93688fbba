/** A unit of systemd, as a template: `latchkey@orders` runs the store of /etc/latchkey/orders.env. */

export const unit = `# Install: latchkey to /usr/local/bin, this text to /etc/systemd/system/latchkey@.service,
# settings to /etc/latchkey/orders.env (root alone may read it); then systemctl enable --now latchkey@orders
[Unit]
Description=Latchkey store %i
Documentation=man:systemd.exec(5)
Wants=network-online.target
After=network-online.target
# A store waits for its brokers itself. After a crash it is started again, however often.
StartLimitIntervalSec=0

[Service]
# The start ends when the store is ready; until then the store extends the time for it.
Type=notify
NotifyAccess=main
EnvironmentFile=/etc/latchkey/%i.env
# A token that root alone may read; with SERVER_TOKEN_FILE=/run/credentials/latchkey@orders.service/token
#LoadCredential=token:/etc/latchkey/%i.token
# MEMORY_MAX becomes nine tenths of it.
#MemoryMax=2G
ExecStart=/usr/local/bin/latchkey
# Reads certificate, token and log level again, from files: what EnvironmentFile gives stays until a restart, so name the
# token's file there (SERVER_TOKEN_FILE). With systemd 253 or later, Type=notify-reload in place of Type and ExecReload
# makes "systemctl reload" wait until the store has read them.
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
# Wrong settings: another start would find the same.
RestartPreventExitStatus=2
# It needs at most 25 s. By SHUTDOWN_DELAY, and with ELASTIC by HANDOVER_SECONDS, it extends this time itself.
TimeoutStopSec=30
LimitNOFILE=65536

DynamicUser=yes
# SNAPSHOT_DIR=snapshots is in it.
StateDirectory=latchkey/%i
WorkingDirectory=%S/latchkey/%i
UMask=0077
CapabilityBoundingSet=
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
# MemoryDenyWriteExecute stays off: the engine compiles to machine code.

[Install]
WantedBy=multi-user.target
`
