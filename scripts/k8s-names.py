"""Checks what schemas cannot: that the names and labels in built Kubernetes files find what they mean."""

import collections
import sys

import yaml

# From outside of these files: k8s/README.md.
GIVEN = {"dvt-migrate", "dvt-gateway", "dvt-projector", "dvt-artifact", "dvt-executor", "dvt-targets", "dvt-tls"}


def main(path):
    with open(path, encoding="utf-8") as file:
        by_kind = collections.defaultdict(dict)
        for found in yaml.safe_load_all(file):
            by_kind[found["kind"]][found["metadata"]["name"]] = found
    wrong = []

    def need(holds, what):
        if not holds:
            wrong.append(what)

    def find(kind, name, where):
        need(name in by_kind[kind] or (kind == "Secret" and name in GIVEN), f"{where}: there is no {kind} {name}")

    deployments = by_kind["Deployment"]
    labels = {name: found["spec"]["template"]["metadata"]["labels"] for name, found in deployments.items()}
    ports = {}
    for name, found in (deployments | by_kind["Job"]).items():
        pod = found["spec"]["template"]["spec"]
        [container] = pod["containers"]
        ports[name] = {port["name"] for port in container.get("ports", [])}
        volumes = {volume["name"] for volume in pod["volumes"]}
        for mount in container["volumeMounts"]:
            need(mount["name"] in volumes, f"{name}: there is no volume {mount['name']}")
        for volume in pod["volumes"]:
            if "secret" in volume:
                find("Secret", volume["secret"]["secretName"], name)
            if "persistentVolumeClaim" in volume:
                find("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], name)
        for source in container.get("envFrom", []):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            find(kind, next(iter(source.values()))["name"], name)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if name in deployments:
                need(container[probe]["httpGet"]["port"] in ports[name], f"{name}: {probe} asks an unnamed port")
        need(container["securityContext"]["readOnlyRootFilesystem"], f"{name}: can write its own files")
        need(pod["securityContext"]["runAsNonRoot"], f"{name}: may be root")
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        for name, found in by_kind[kind].items():
            selector = found["spec"].get("podSelector", found["spec"].get("selector"))
            asked = (selector.get("matchLabels") or {}) if kind != "Service" else selector
            chosen = [pod for pod, has in labels.items() if asked.items() <= has.items()]
            need(chosen, f"{kind} {name}: chooses no pod")
    for name, found in by_kind["HorizontalPodAutoscaler"].items():
        find("Deployment", found["spec"]["scaleTargetRef"]["name"], f"HorizontalPodAutoscaler {name}")
        need("replicas" not in deployments[name]["spec"], f"{name}: both a number of replicas and an autoscaler")
    for found in by_kind["Ingress"].values():
        for rule in found["spec"]["rules"]:
            for route in rule["http"]["paths"]:
                find("Service", route["backend"]["service"]["name"], "Ingress")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{path.rsplit('/', 1)[-1]}: {sum(map(len, by_kind.values()))} objects are as they should be")


main(sys.argv[1])
