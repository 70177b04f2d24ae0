/* libnice behind the line protocol of the interop tests (README.md beside this file). */

#include <agent.h>
#include <arpa/inet.h>
#include <interfaces.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NiceAgent *agent;
static guint stream;
static gboolean whole, ended, checking;
static gchar *ufrag, *password;
static GSList *waiting; /* remote candidates that came before the parameters, or all of them */
static gint64 started;
static GMainLoop *loop;

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

static gchar *shown(NiceCandidate *candidate, NiceAddress *at) {
    static const char *transports[] = {"udp", "tcp-active", "tcp-passive", "tcp-so"};
    gchar address[NICE_ADDRESS_STRING_LEN];
    nice_address_to_string(at, address);
    gboolean v6 = nice_address_ip_version(at) == 6;
    return g_strdup_printf("%s %s %s%s%s:%u", nice_candidate_type_to_string(candidate->type),
                           transports[candidate->transport], v6 ? "[" : "", address, v6 ? "]" : "",
                           nice_address_get_port(at));
}

static void selected(NiceAgent *of, guint s, guint c, NiceCandidate *local, NiceCandidate *remote,
                     gpointer unused) {
    gchar *here = shown(local, &local->addr), *there = shown(remote, &remote->addr);
    gchar *line = g_strdup_printf("# selected %s %s", here, there);
    say(line);
    g_free(line), g_free(here), g_free(there);
}

static void state_changed(NiceAgent *of, guint s, guint c, guint state, gpointer unused) {
    static gboolean told;
    printf("# state %s\n", nice_component_state_to_string(state));
    if (state == NICE_COMPONENT_STATE_READY && !told) {
        told = TRUE;
        printf("# connected after %.1f ms\n", (g_get_monotonic_time() - started) / 1000.0);
    }
    if (state == NICE_COMPONENT_STATE_FAILED) printf("# failed\n");
    fflush(stdout);
}

static void say_candidate(NiceCandidate *candidate) {
    gchar *line = nice_agent_generate_local_candidate_sdp(agent, candidate);
    say(line);
    g_free(line);
}

static void say_candidates(void) {
    GSList *all = nice_agent_get_local_candidates(agent, stream, 1);
    for (GSList *at = all; at; at = at->next) say_candidate(at->data);
    g_slist_free_full(all, (GDestroyNotify)nice_candidate_free);
    say("a=end-of-candidates");
}

static void new_candidate(NiceAgent *of, NiceCandidate *candidate, gpointer unused) {
    if (!whole) say_candidate(candidate);
}

static void gathered(NiceAgent *of, guint s, gpointer unused) {
    if (whole) say_candidates();
    else say("a=end-of-candidates");
}

static void received(NiceAgent *of, guint s, guint c, guint length, gchar *bytes, gpointer unused) {
    printf("%.*s\n", (int)length, bytes);
    fflush(stdout);
}

static void say_parameters(void) {
    gchar *own_ufrag, *own_password;
    nice_agent_get_local_credentials(agent, stream, &own_ufrag, &own_password);
    printf("a=ice-ufrag:%s\na=ice-pwd:%s\n", own_ufrag, own_password);
    g_free(own_ufrag), g_free(own_password);
}

/* Other credentials, the same candidates; the other side's are yet to come. */
static void begin_anew(void) {
    checking = FALSE, ended = FALSE;
    g_clear_pointer(&ufrag, g_free);
    g_clear_pointer(&password, g_free);
    nice_agent_restart_stream(agent, stream);
    say_parameters();
    say_candidates();
}

static void hand_over(void) {
    if (!ufrag || !password || (whole && !ended)) return;
    if (!checking) {
        checking = TRUE;
        started = g_get_monotonic_time();
        nice_agent_set_remote_credentials(agent, stream, ufrag, password);
    }
    if (waiting) nice_agent_set_remote_candidates(agent, stream, 1, waiting);
    g_slist_free_full(waiting, (GDestroyNotify)nice_candidate_free);
    waiting = NULL;
    if (ended) nice_agent_peer_candidate_gathering_done(agent, stream);
}

static void heard(gchar *line) {
    if (g_str_has_prefix(line, "a=ice-ufrag:")) {
        /* The other side has begun anew, unless this one did. */
        if (checking) begin_anew();
        ufrag = g_strdup(line + strlen("a=ice-ufrag:"));
    } else if (g_str_has_prefix(line, "a=ice-pwd:")) {
        password = g_strdup(line + strlen("a=ice-pwd:"));
    } else if (g_str_has_prefix(line, "a=candidate:")) {
        NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(agent, stream, line);
        if (candidate) waiting = g_slist_append(waiting, candidate);
        else printf("# not understood: %s\n", line);
    } else if (!strcmp(line, "a=end-of-candidates")) {
        ended = TRUE;
    } else if (!strcmp(line, "/restart")) {
        begin_anew();
        return;
    } else {
        if (line[0] && line[0] != '#' && !g_str_has_prefix(line, "a="))
            if (nice_agent_send(agent, stream, 1, strlen(line), line) < 0) say("# cannot send");
        return;
    }
    hand_over();
}

static gboolean readable(GIOChannel *from, GIOCondition why, gpointer unused) {
    gchar *line = NULL;
    if (g_io_channel_read_line(from, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
        g_main_loop_quit(loop);
        return FALSE;
    }
    heard(g_strchomp(line));
    g_free(line);
    return TRUE;
}

/* An IPv6 address without its brackets. */
static gchar *bare(gchar *address) {
    if (*address != '[') return address;
    address[strlen(address) - 1] = 0;
    return address + 1;
}

static void use_ipv6_alone(void) {
    GList *all = nice_interfaces_get_local_ips(FALSE);
    for (GList *at = all; at; at = at->next) {
        NiceAddress *address = nice_address_new();
        if (nice_address_set_from_string(address, at->data) &&
            nice_address_ip_version(address) == 6 && !g_str_has_prefix(at->data, "fe80:"))
            nice_agent_add_local_address(agent, address);
        nice_address_free(address);
    }
    g_list_free_full(all, g_free);
}

/* udp|tcp|tls,ADDRESS:PORT,USER,PASSWORD */
static void relay(const char *text) {
    gchar **parts = g_strsplit(text, ",", 4);
    NiceRelayType type = !strcmp(parts[0], "udp")   ? NICE_RELAY_TYPE_TURN_UDP
                         : !strcmp(parts[0], "tcp") ? NICE_RELAY_TYPE_TURN_TCP
                                                    : NICE_RELAY_TYPE_TURN_TLS;
    gchar *colon = strrchr(parts[1], ':');
    *colon = 0;
    nice_agent_set_relay_info(agent, stream, 1, bare(parts[1]), atoi(colon + 1), parts[2], parts[3], type);
    g_strfreev(parts);
}

int main(int count, char **words) {
    gchar *role = NULL, *stun = NULL, *turn = NULL;
    gboolean relay_only = FALSE, aggressive = FALSE, renomination = FALSE, lite = FALSE, tcp = FALSE, ipv6 = FALSE;
    GOptionEntry entries[] = {
        {"role", 0, 0, G_OPTION_ARG_STRING, &role, "controlling or controlled", NULL},
        {"stun", 0, 0, G_OPTION_ARG_STRING, &stun, "a STUN server", "ADDRESS:PORT"},
        {"turn", 0, 0, G_OPTION_ARG_STRING, &turn, "udp|tcp|tls,ADDRESS:PORT,USER,PASSWORD", NULL},
        {"relay-only", 0, 0, G_OPTION_ARG_NONE, &relay_only, "no other candidates", NULL},
        {"whole", 0, 0, G_OPTION_ARG_NONE, &whole, "no trickle", NULL},
        {"aggressive", 0, 0, G_OPTION_ARG_NONE, &aggressive, "nominate as RFC 5245 had it", NULL},
        {"renomination", 0, 0, G_OPTION_ARG_NONE, &renomination, "offer renomination", NULL},
        {"lite", 0, 0, G_OPTION_ARG_NONE, &lite, "be a lite agent", NULL},
        {"tcp", 0, 0, G_OPTION_ARG_NONE, &tcp, "TCP candidates alone", NULL},
        {"ipv6", 0, 0, G_OPTION_ARG_NONE, &ipv6, "no other addresses", NULL},
        {NULL}};
    GError *error = NULL;
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &count, &words, &error) || !role) {
        fprintf(stderr, "%s\n", error ? error->message : "--role is needed");
        return 2;
    }
    NiceAgentOption options = NICE_AGENT_OPTION_CONSENT_FRESHNESS;
    if (!whole) options |= NICE_AGENT_OPTION_ICE_TRICKLE;
    if (!aggressive) options |= NICE_AGENT_OPTION_REGULAR_NOMINATION;
    if (renomination) options |= NICE_AGENT_OPTION_SUPPORT_RENOMINATION;
    if (lite) options |= NICE_AGENT_OPTION_LITE_MODE;
    loop = g_main_loop_new(NULL, FALSE);
    agent = nice_agent_new_full(g_main_loop_get_context(loop), NICE_COMPATIBILITY_RFC5245, options);
    g_object_set(agent, "controlling-mode", !strcmp(role, "controlling"), "upnp", FALSE,
                 "force-relay", relay_only, "ice-tcp", tcp, "ice-udp", !tcp, NULL);
    if (stun) {
        gchar *colon = strrchr(stun, ':');
        *colon = 0;
        g_object_set(agent, "stun-server", bare(stun), "stun-server-port", atoi(colon + 1), NULL);
    }
    g_signal_connect(agent, "new-candidate-full", G_CALLBACK(new_candidate), NULL);
    g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(gathered), NULL);
    g_signal_connect(agent, "new-selected-pair-full", G_CALLBACK(selected), NULL);
    g_signal_connect(agent, "component-state-changed", G_CALLBACK(state_changed), NULL);
    stream = nice_agent_add_stream(agent, 1);
    if (ipv6) use_ipv6_alone();
    if (turn) relay(turn);
    nice_agent_attach_recv(agent, stream, 1, g_main_loop_get_context(loop), received, NULL);

    say_parameters();
    if (!whole) printf("a=ice-options:trickle%s\n", renomination ? " renomination" : "");
    if (lite) printf("a=ice-lite\n");
    fflush(stdout);
    if (!nice_agent_gather_candidates(agent, stream)) return 1;
    GIOChannel *input = g_io_channel_unix_new(0);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, readable, NULL);
    g_main_loop_run(loop);
    return 0;
}
