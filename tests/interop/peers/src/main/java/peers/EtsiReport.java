package peers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import eu.europa.esig.validationreport.ValidationReportFacade;
import eu.europa.esig.validationreport.jaxb.SignatureValidationReportType;
import eu.europa.esig.validationreport.jaxb.ValidationReportType;
import eu.europa.esig.validationreport.jaxb.ValidationStatusType;

/** Reads a validation report of ETSI TS 119 102-2 with the classes that EU DSS reads its own with, and under its schema. */
final class EtsiReport {
    private EtsiReport() {
    }

    /** {@code dss-report report=}: the main indication and the first sub-indication of each element, and how many objects stand in the report. */
    static Map<String, Object> read(Request request) throws Exception {
        ValidationReportType report = ValidationReportFacade.newFacade().unmarshall(request.path("report").toFile());
        List<Map<String, Object>> elements = new ArrayList<>();
        for (SignatureValidationReportType element : report.getSignatureValidationReport()) {
            ValidationStatusType status = element.getSignatureValidationStatus();
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("indication", status.getMainIndication().name());
            one.put("sub_indications", status.getSubIndication().stream().map(Enum::name).toList());
            elements.add(one);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("reports", elements);
        boolean hasObjects = report.getSignatureValidationObjects() != null;
        answer.put("objects", hasObjects ? report.getSignatureValidationObjects().getValidationObject().size() : 0);
        return answer;
    }
}
